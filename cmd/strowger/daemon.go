package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"strowger/config"
	"strowger/system/service"
)

// daemon is the router as a process: its signals, its log and its settings.
type daemon struct {
	program *program
	load    func() (*config.Config, error) // reads the sources anew
	cfg     *config.Config                 // as at the start
	level   *slog.LevelVar
	log     *slog.Logger

	services []*service.Service // that live in the router
	// started, unless nil, is called once connections are accepted; end is called before they are
	// sent away.
	started func(r router) (end func(), err error)
	// ended, unless nil, is called last, while a further signal does not yet end the process.
	ended func()
}

// run returns when the daemon has stopped.
func (d *daemon) run() error {
	// Caught from the start: a SIGHUP that nobody handles ends the process.
	stops, reloads := make(chan os.Signal, 2), make(chan os.Signal, 1)
	defer d.program.notify(stops, syscall.SIGTERM, syscall.SIGINT)()
	defer d.program.notify(reloads, syscall.SIGHUP, syscall.SIGUSR1)()
	if d.ended != nil {
		defer d.ended()
	}

	build := readBuild()
	d.log.Info("starting", "version", build.Version, "go", build.Go, "token_dir", tokenDirectory(d.cfg))
	r, err := d.program.newRouter(d.cfg, d.log, d.services...)
	if err != nil {
		return d.fail("cannot start", err)
	}
	if err := r.Start(); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w; --listen names another address", err)
		}
		return d.fail("cannot start", err)
	}
	d.log.Info("listening", "addr", r.Addr().String())
	end, err := d.begin(r)
	if err != nil {
		return d.fail("cannot start", err)
	}
	defer end()
	for {
		select {
		case sig := <-stops:
			end()
			return d.drain(r, sig, stops)
		case <-reloads:
			d.reload(r)
		case err := <-r.Failed():
			return d.fail("gave up", err)
		}
	}
}

// begin does what else there is to do; end ends it, once. If it fails the router is stopped.
func (d *daemon) begin(r router) (end func(), err error) {
	if d.started == nil {
		return func() {}, nil
	}
	if end, err = d.started(r); err == nil {
		return sync.OnceFunc(end), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.cfg.Shutdown.Timeout)
	defer cancel()
	return nil, errors.Join(err, r.Stop(ctx))
}

// fail logs why the daemon ends.
func (d *daemon) fail(msg string, err error) error {
	d.log.Error(msg, "err", err)
	return &exit{status: exitError}
}

// drain stops the router in good order, unless another signal says to hurry.
func (d *daemon) drain(r router, sig os.Signal, stops <-chan os.Signal) error {
	timeout := d.cfg.Shutdown.Timeout
	d.log.Info("stopping", "signal", sig.String(), "timeout", timeout.String())
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop(ctx) }() // ends with the process at the latest
	select {
	case sig := <-stops:
		d.log.Warn("stopped at once", "signal", sig.String())
		return &exit{status: exitError}
	case err := <-stopped:
		return d.stopped(err)
	}
}

// stopped tells how stopping went. That time runs out is foreseen, so it is no error.
func (d *daemon) stopped(err error) error {
	switch {
	case err == nil:
		d.log.Info("stopped")
	case errors.Is(err, context.DeadlineExceeded):
		d.log.Warn("stopped before everything was done", "err", err)
	default:
		return d.fail("stop", err)
	}
	return nil
}

// reload reads the settings anew and applies those that need no restart.
func (d *daemon) reload(r router) {
	cfg, err := d.load()
	if err != nil {
		for _, problem := range problems(err) {
			d.log.Error("settings are wrong, the running ones stay", "err", problem)
		}
		return
	}
	changes := r.Reload(cfg)
	// What changes is logged by the old and by the new level.
	next := logLevel(cfg.Log.Level)
	d.level.Set(min(d.level.Level(), next))
	for _, change := range changes {
		msg := "setting changed"
		if !change.Reloadable {
			msg = "setting changed, takes effect after a restart"
		}
		d.log.Info(msg, "key", change.Key, "old", change.Old, "new", change.New)
	}
	d.log.Info("settings reloaded", "changes", len(changes))
	d.level.Set(next)
}
