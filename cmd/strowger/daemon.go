package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"strowger/cmd/strowger/internal/errno"
	"strowger/config"
	"strowger/system"
	"strowger/system/service"
)

// daemon is the router as a process: its signals, its log and its settings.
type daemon struct {
	program *program
	load    func() (*config.Config, error) // reads the sources anew
	site    *site                          // what load asks for FusionPBX's default settings; nil: nobody is asked
	cfg     *config.Config                 // as at the start
	level   *slog.LevelVar
	log     *slog.Logger
	queue   *logQueue            // where the log's lines wait; run closes it
	asked   chan chan<- reloaded // gets who wants to know what becomes of a reload; run makes it
	manager *manager             // who has started the process; run makes it

	sockets  sockets            // inherited
	heir     *system.Heir       // what there is to take over; nil: nothing
	wanted   chan *upgrade      // gets who wants an upgrade; run makes it
	services []*service.Service // that live in the router
	link     system.Switch      // to the switch that they listen to; nil: there is none
	// started, unless nil, is called once connections are accepted; end is called before they are
	// sent away.
	started func(r router) (end func(), err error)
	// ended, unless nil, is called last, while a further signal does not yet end the process.
	ended func()
}

// run returns when the daemon has stopped.
func (d *daemon) run() error {
	// Caught from the start: a SIGHUP that nobody handles ends the process.
	stops, reloads, upgrades := make(chan os.Signal, 2), make(chan os.Signal, 1), make(chan os.Signal, 1)
	defer d.program.notify(upgrades, upgradeSignals()...)()
	defer d.program.notify(stops, syscall.SIGTERM, syscall.SIGINT)()
	defer d.program.notify(reloads, reloadSignals()...)()
	// Unless somebody asks for SIGPIPE, Go ends a process that writes to stdout or stderr when the
	// reader is gone. Nobody receives from this channel: the failed write is all there is to know.
	defer d.program.notify(make(chan os.Signal, 1), syscall.SIGPIPE)()
	patience := lastLines
	defer func() { d.queue.Close(patience) }()
	if d.ended != nil {
		defer d.ended()
	}

	d.asked, d.wanted = make(chan chan<- reloaded), make(chan *upgrade)
	d.manager = newManager(d.program.environ, d.log)
	build := readBuild()
	if d.heir != nil {
		d.heir.Version = build.Version
	}
	d.log.Info("starting", "version", build.Version, "go", build.Go, "token_dir", tokenDirectory(d.cfg))
	d.warn(d.cfg)
	r, err := d.program.newRouter(system.Options{Config: d.cfg, Log: d.log, Version: build.Version, Commit: build.Commit, LogLost: d.queue.Lost, LogTurns: d.queue.Turns, Switch: d.link, Reload: d.ask,
		Listener: d.sockets.router, AdminListener: d.sockets.admin, Heir: d.heir, Upgrade: d.askUpgrade}, d.services...)
	if err != nil {
		return d.fail("cannot start", err)
	}
	if err := r.Start(); err != nil {
		switch {
		case errors.Is(err, errno.AddressInUse):
			err = fmt.Errorf("%w; --listen names another address", err)
		case errors.Is(err, errno.AddressNotAvailable):
			err = fmt.Errorf("%w; --listen or listen.address must name an address of this machine", err)
		case errors.Is(err, errno.AccessDenied):
			err = fmt.Errorf("%w; ports below 1024 are for root, --listen names another address", err)
		}
		return d.fail("cannot start", err)
	}
	d.log.Info("listening", "addr", r.Addr().String())
	end, err := d.begin(r)
	if err != nil {
		return d.fail("cannot start", err)
	}
	defer end()
	d.manager.ready(r)
	keeping, stopKeeping := context.WithCancel(context.Background())
	var keeper sync.WaitGroup
	keeper.Go(func() { d.manager.keep(keeping, r) })
	defer keeper.Wait()
	defer stopKeeping()
	return d.obey(r, end, stops, reloads, upgrades, &patience)
}

// obey does what signals say until the router ends. It shortens patience so that waiting for the log
// keeps within the time for stopping.
func (d *daemon) obey(r router, end func(), stops, reloads, upgrades <-chan os.Signal, patience *time.Duration) error {
	// A file that cannot be read, as on a network drive that is gone, must not keep other signals
	// from being obeyed, so each reload has a goroutine, which ends with the process at the latest.
	// A signal that comes meanwhile waits.
	next, asked, late, done := reloads, d.asked, d.site.late(), make(chan struct{}, 1)
	var way *upgrade // that is under way; nil: none
	for {
		wanted, signalled := d.wanted, upgrades
		if next == nil {
			wanted, signalled = nil, nil // a reload is under way
		}
		select {
		case way = <-wanted:
			next, asked, late = nil, nil, nil
			go d.upgrade(r, way)
		case <-signalled:
			way = newUpgrade(context.Background())
			way.answer() // nobody waits for one
			next, asked, late = nil, nil, nil
			go d.upgrade(r, way)
		case <-way.ended():
			if way.succeeded() {
				end()
				return d.retire(r, way)
			}
			way = nil
			next, asked, late = reloads, d.asked, d.site.late()
		case sig := <-stops:
			if way.cancel() {
				end()
				return d.retire(r, way)
			}
			d.manager.stopping()
			end()
			limit := time.Now().Add(d.cfg.Shutdown.Timeout)
			err := d.drain(r, sig, stops)
			*patience = min(lastLines, max(time.Until(limit), lastLinesLate))
			var hurried *exit
			if errors.As(err, &hurried) {
				*patience = lastLinesLate
			}
			return err
		case <-next:
			next, asked, late = nil, nil, nil
			go func() {
				d.reload(r)
				done <- struct{}{}
			}()
		case to := <-asked:
			next, asked, late = nil, nil, nil
			go func() {
				to <- d.reload(r)
				done <- struct{}{}
			}()
		case <-late:
			next, asked, late = nil, nil, nil
			go func() {
				if d.site.arrived() {
					d.log.Info("FusionPBX's database answers, its default settings are read")
					d.reload(r)
				}
				done <- struct{}{}
			}()
		case <-done:
			next, asked, late = reloads, d.asked, d.site.late()
		case err := <-r.Failed():
			return d.fail("gave up", err)
		}
	}
}

// How long the daemon waits at its end for somebody to read the last lines of its log, also when the
// time for stopping is up. A signal that says to hurry makes it the shorter one.
const (
	lastLines     = time.Second
	lastLinesLate = 100 * time.Millisecond
)

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
	if d.heir != nil {
		d.heir.Fail(err)
	}
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

// warn logs what of FusionPBX's own settings cannot be used.
func (d *daemon) warn(cfg *config.Config) {
	for _, w := range cfg.Warnings {
		d.log.Warn("value of FusionPBX cannot be used, what it would set stays as it is without it", "err", w)
	}
	if cfg.SettingsProblem != nil {
		d.log.Warn("FusionPBX's default settings cannot be read from its database, those of the last time hold or none",
			"last", len(cfg.Settings), "err", cfg.SettingsProblem)
	}
}
