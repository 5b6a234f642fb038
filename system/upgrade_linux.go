package system

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Upgrade runs cmd, which is another process of the daemon that uses OpenHeir, and hands all connections over to it.
// When it returns nil, that process has them, and all that is left for this one is Stop. On an error this process goes on
// as if nothing had happened, and the other one is ended. It adds to the files and the environment of cmd. It gives the new
// process upgrade.timeout to start, and upgrade.pause to take over. It may be called once at a time.
func (s *System) Upgrade(ctx context.Context, cmd *exec.Cmd) (*Upgraded, error) {
	if !s.live() || s.stage.Load() != started {
		return nil, errors.New("upgrade: the system does not run")
	}
	if !s.upgrades.busy.TryLock() {
		return nil, errors.New("upgrade: another one is under way")
	}
	defer s.upgrades.busy.Unlock()
	s.services.changes.shut(errUpgrades)
	u, err := s.upgrade(ctx, cmd)
	if err != nil {
		if !s.upgrades.handed.Load() {
			s.services.changes.reopen(errUpgrades)
		}
		s.upgrades.failed.Add(1)
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	s.cluster.handDown()
	go s.cluster.leave(context.WithoutCancel(ctx)) // the new process takes its place; Stop waits for this
	return u, nil
}

func (s *System) upgrade(ctx context.Context, cmd *exec.Cmd) (*Upgraded, error) {
	if s.upgrades.handed.Load() {
		return nil, errors.New("another process has taken over already")
	}
	settings := s.running.Load().Upgrade
	if err := s.services.changes.settled(ctx); err != nil {
		return nil, fmt.Errorf("services are being added or removed: %w", err)
	}
	heir, err := startHeir(cmd)
	if err != nil {
		return nil, err
	}
	// Nobody waits longer for a process that hangs.
	if err := heir.wire.until(time.Now().Add(settings.Timeout)); err != nil {
		return nil, heir.end(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = heir.wire.until(time.Unix(1, 0)) })
	if err := s.present(heir, settings.Timeout); err != nil {
		stop()
		return nil, heir.end(err)
	}
	// From here on cross looks at ctx, and at the end it must not any more.
	if !stop() {
		return nil, heir.end(context.Cause(ctx))
	}
	u, err := s.cross(ctx, heir, settings.Pause)
	if err != nil {
		return nil, heir.end(err)
	}
	u.PID, u.Version = cmd.Process.Pid, heir.version
	return u, nil
}

// successor is the new process as the old one sees it.
type successor struct {
	cmd     *exec.Cmd
	wire    *wire
	version string
	exited  chan struct{}
}

func startHeir(cmd *exec.Cmd) (*successor, error) {
	w, theirs, err := socketPairs()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs[0], theirs[1])
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", UpgradeVariable, 3+len(cmd.ExtraFiles)-2))
	err = cmd.Start()
	for _, file := range theirs {
		_ = file.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the new process: %w", err), w.close())
	}
	h := &successor{cmd: cmd, wire: w, exited: make(chan struct{})}
	go func() {
		defer close(h.exited)
		_ = cmd.Wait() // its status is in ProcessState
	}()
	return h, nil
}

// end ends the new process, and returns err with what is known of its end.
func (h *successor) end(err error) error {
	// One that has ended by itself says more than the wire.
	select {
	case <-h.exited:
	case <-time.After(endPatience):
		_ = h.cmd.Process.Kill()
		<-h.exited
	}
	_ = h.wire.close()
	return fmt.Errorf("%w (the new process ended: %s)", err, h.cmd.ProcessState)
}

// endPatience is how long a new process that has failed may take to end by itself.
const endPatience = 200 * time.Millisecond

// present waits until the new process is built, or the wire's time is over, which is timeout.
func (s *System) present(h *successor, timeout time.Duration) error {
	hello := greeting{Format: wireFormat, Listen: s.cfg.Listen.Address, AdminSetting: s.cfg.Admin.Address,
		Done: s.upgrades.done.Load(), Failed: s.upgrades.failed.Load(), Singletons: s.services.own(), Added: s.services.templated()}
	if addr := s.AdminAddr(); addr != nil {
		hello.Admin = addr.String()
	}
	err := s.adminPort.use(func(adminFD int) error {
		if adminFD < 0 {
			hello.Admin = ""
		}
		if err := h.wire.out.Encode(&hello); err != nil {
			return fmt.Errorf("the new process does not listen: %w", err)
		}
		var sent error
		err := s.server.Listening(func(fd int) {
			fds := []int{fd}
			if adminFD >= 0 {
				fds = append(fds, adminFD)
			}
			sent = h.wire.send(fds)
		})
		return errors.Join(err, sent)
	})
	if err != nil {
		return err
	}
	n, err := h.wire.await()
	if err != nil {
		return fmt.Errorf("before it was built (upgrade.timeout is %v): %w", timeout, err)
	}
	h.version = n.Version
	return nil
}

// cross hands everything over. On an error all is as it was.
func (s *System) cross(ctx context.Context, h *successor, pause time.Duration) (*Upgraded, error) {
	s.reloading.Lock() // what is handed over goes by one set of settings
	defer s.reloading.Unlock()
	if err := h.wire.until(time.Time{}); err != nil {
		return nil, err
	}
	defer s.heart.Load().rest()()
	holding, err := s.server.Hold(ctx)
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	handed := false
	defer func() {
		if !handed {
			s.services.speak()
		}
		holding.Thaw(handed)
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, pause, fmt.Errorf("upgrade.pause (%v) is over", pause))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = h.wire.until(time.Unix(1, 0)) })
	defer stop()
	all, err := s.gather(ctx, holding)
	if err != nil {
		return nil, err
	}
	if err := all.send(h.wire); err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	if _, err := h.wire.await(); err != nil {
		return nil, fmt.Errorf("before it was ready (upgrade.pause is %v): %w", pause, err)
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err := h.dismiss(pause); err != nil {
		return nil, err
	}
	handed = true
	s.upgrades.handed.Store(true)
	s.heart.Load().end()
	s.adminPort.handOver()
	u := &Upgraded{Connections: len(all.crossing), Closed: s.egress.Live() - len(all.crossing) - len(all.cargo.Newcomers)}
	var last arrival
	if h.wire.until(time.Now().Add(arrivalPatience)) == nil && h.wire.in.Decode(&last) == nil {
		u.pauses(last.Pauses)
	}
	return u, nil
}

// dismiss has the new process go on. On an error it has touched nothing and has ended.
func (h *successor) dismiss(pause time.Duration) error {
	err := h.wire.until(time.Now().Add(pause))
	if err == nil {
		err = h.wire.out.Encode(&farewell{Go: true})
	}
	if err == nil {
		_, err = h.wire.await()
	}
	if err == nil {
		return nil
	}
	// It may say so at the last moment. Once it has ended it has said all.
	_ = h.cmd.Process.Kill()
	<-h.exited
	if h.wire.until(time.Time{}) == nil {
		if _, late := h.wire.await(); late == nil {
			return nil
		}
	}
	return fmt.Errorf("when it was to go on (upgrade.pause is %v): %w", pause, err)
}

// arrivalPatience is how long the old process waits to hear how long the pause was.
const arrivalPatience = 10 * time.Second
