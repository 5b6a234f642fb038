package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"strowger/system"
)

// upgrade is one upgrade of the running process.
type upgrade struct {
	ctx      context.Context
	stop     context.CancelFunc
	done     chan struct{} // closed when what follows is set
	result   *system.Upgraded
	err      error
	answered chan struct{} // closed when whoever asked has the answer
	answer   func()        // closes it, once
}

func newUpgrade(ctx context.Context) *upgrade {
	u := &upgrade{done: make(chan struct{}), answered: make(chan struct{})}
	u.ctx, u.stop = context.WithCancel(ctx)
	u.answer = sync.OnceFunc(func() { close(u.answered) })
	return u
}

// ended is closed when the upgrade has ended. A nil upgrade never ends.
func (u *upgrade) ended() <-chan struct{} {
	if u == nil {
		return nil
	}
	return u.done
}

// succeeded reports whether another process has taken over.
func (u *upgrade) succeeded() bool { return u.err == nil }

// cancel ends the upgrade, waits for that, and reports whether another process has taken over nevertheless. A nil
// upgrade has not.
func (u *upgrade) cancel() bool {
	if u == nil {
		return false
	}
	u.stop()
	<-u.done
	return u.succeeded()
}

// askUpgrade has the daemon upgraded, as a signal does, and returns what became of it. It is for system.Options.
func (d *daemon) askUpgrade(context.Context) (result *system.Upgraded, answered func(), err error) {
	// Whoever asks may be gone before it is over, and the upgrade goes on.
	u := newUpgrade(context.Background())
	wait := time.NewTimer(busyPatience)
	defer wait.Stop()
	select {
	case d.wanted <- u:
	case <-wait.C:
		return nil, func() {}, errors.New("another upgrade, or the end of the daemon, is under way")
	}
	<-u.done
	return u.result, u.answer, u.err
}

const (
	// busyPatience is how long a request for an upgrade waits until another one has ended.
	busyPatience = 5 * time.Second
	// answerPatience is how long the old process waits until whoever asked has the answer.
	answerPatience = 5 * time.Second
)

// upgrade starts the new process and hands everything over to it.
func (d *daemon) upgrade(r router, u *upgrade) {
	defer close(u.done)
	defer u.stop()
	cmd, err := d.successor()
	if err == nil {
		d.log.Info("upgrade begins", "file", cmd.Path)
		u.result, err = r.Upgrade(u.ctx, cmd)
	}
	if u.err = err; err != nil {
		d.log.Error("upgrade failed, this process goes on", "err", err)
		return
	}
	// The manager takes the word of the process that it watches.
	// The first sign of life of the new one may have come too early for it to count.
	d.manager.tell(fmt.Sprintf("MAINPID=%d", u.result.PID), "WATCHDOG=1")
	d.log.Info("another process has taken over", "pid", u.result.PID, "version", u.result.Version, "connections", u.result.Connections,
		"closed", u.result.Closed, "p50", u.result.P50.String(), "p99", u.result.P99.String(), "max", u.result.Max.String())
}

// successor returns how to run the new process. It has the arguments of this one.
func (d *daemon) successor() (*exec.Cmd, error) {
	if os.Getpid() == 1 {
		return nil, errors.New("upgrade: the daemon is process 1, and everything ends with it: restart the container")
	}
	if variable(d.program.environ, "INVOCATION_ID") != "" && variable(d.program.environ, notifyVariable) == "" && os.Getppid() == 1 {
		return nil, errors.New("upgrade: systemd would end the new process too, because the unit has no Type=notify")
	}
	cfg, err := d.load()
	if err != nil {
		return nil, fmt.Errorf("upgrade: the new process would find its settings wrong: %w", err)
	}
	path := cfg.Upgrade.Binary
	if path == "" {
		path = d.program.executable
	}
	if path == "" {
		return nil, errors.New("upgrade: the file of the program is not known, set upgrade.binary")
	}
	cmd := exec.Command(path, d.program.arguments...)
	if d.program.command != "" {
		cmd.Args[0] = d.program.command
	}
	cmd.Env = system.UpgradeEnvironment(d.program.environ)
	cmd.Stdout, cmd.Stderr = d.program.stdout, d.program.stderr
	return cmd, nil
}

// retire ends this process after another one has taken over.
func (d *daemon) retire(r router, u *upgrade) error {
	wait := time.NewTimer(answerPatience)
	defer wait.Stop()
	select {
	case <-u.answered:
	case <-wait.C:
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.cfg.Shutdown.Timeout)
	defer cancel()
	return d.stopped(r.Stop(ctx))
}
