package system

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"strowger/system/internal/supervisor"
)

// hurry is how long each part of the system may take to stop once the time for all of them is over.
const hurry = 500 * time.Millisecond

// goodbyeShare is the last share of the time for stopping, as a divisor. When it begins, connections are closed with 1001
// even if services, janitors or the admin pages have not stopped.
const goodbyeShare = 4

// Stop takes no more connections, lets the services finish, closes the connections with 1001, as many in a second as
// shutdown.pace says, and waits for them until ctx ends. Then it cuts them off, and abandons each service that does not
// end at once. The error wraps ctx's if it came to that. If ctx has a deadline, the last quarter of the time is for the connections:
// they are closed with 1001 then, whatever has not stopped.
// A nil ctx never ends. Stop of a system that has not started, or has stopped, does nothing.
func (s *System) Stop(ctx context.Context) error {
	if !s.made() {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	switch s.stage.Swap(stopped) {
	case fresh:
		s.stopConsole(ctx)
		s.cluster.leave(ctx)
		s.deps.Stop()
		s.endTraces(ctx)
		s.lines.Close()
		return nil
	case begun, stopped:
		return nil // Start cleaned up when it failed, as the first Stop did
	}
	s.heart.Load().end()
	s.services.changes.shut(errStops)
	close(s.services.over)
	s.stopConsole(ctx)
	if by, ok := ctx.Deadline(); ok {
		s.stopBy.Store(&by)
		defer s.deps.Clock.AfterFunc(time.Until(by)/goodbyeShare*(goodbyeShare-1), s.dismiss)()
	}
	s.settleChanges(ctx)
	s.moveSingletons(ctx)
	s.server.StopListening()
	gone := s.deps.System.Root.RequestFuture(s.root, &supervisor.Shutdown{}, -1)
	stopped := make(chan struct{})
	go func() {
		_ = gone.Wait()
		close(stopped)
	}()
	var err error
	select {
	case <-stopped:
	case <-ctx.Done():
		err = fmt.Errorf("%d connections cut off: %w", s.egress.Live(), context.Cause(ctx))
		s.egress.AbortAll()
		s.deps.System.Root.Send(s.root, &supervisor.Shutdown{Hurry: hurry})
		<-stopped
	}
	s.deps.Discontinue("the daemon stops", hurry)
	s.tokens.bearers.close()
	if err := s.services.wait(ctx); err != nil {
		s.log.Error("work of a service still runs", "err", err)
	}
	s.within(ctx, "switch and database", s.disconnect)
	s.adminPort.close()
	if err := s.pool.wait(ctx); err != nil {
		s.log.Error("token files still being read", "err", err)
	}
	if err := s.bearing.wait(ctx); err != nil {
		s.log.Error("tokens still being checked", "err", err)
	}
	s.cluster.leave(ctx) // it has begun with the connections, and is waited for
	s.leave()
	s.egress.Stop()
	s.deps.Stop()
	s.endTraces(ctx)
	s.heapFloor.stop()
	s.lines.Close()
	s.sumUp()
	return err
}

// settleChanges waits for services that are being added or removed, a part of the time that there is.
func (s *System) settleChanges(ctx context.Context) {
	patience := orderPatience
	if by, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(by)/goodbyeShare)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.services.changes.settled(ctx); err != nil {
		s.log.Warn("services are still being added or removed", "err", err)
	}
}

// within calls f and waits for it until ctx ends, or a little longer if it has ended already.
func (s *System) within(ctx context.Context, part string, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(hurry):
		s.log.Error("does not stop and is left behind", "actor", part)
	}
}

// sumUp logs what happened to messages and tokens since the start.
func (s *System) sumUp() {
	c := s.deps.Counters
	var dead []any
	for reason, n := range c.DeadLetters() {
		dead = append(dead, slog.Int64(reason.String(), n))
	}
	s.log.Info("stopped routing", "requests", c.Requests.Load(), "replies", c.Replies.Load(),
		"broadcasts", c.Broadcasts.Load(), "authenticated", c.Authentic.Load(), "refused", c.Refused.Load(),
		"slow_consumers", c.SlowConsumers.Load(), "crashes", c.Panics.Load(), slog.Group("dead_letters", dead...))
}

// stopConsole closes the console's connections. They may end before those of the router, because nobody's work goes
// over them.
func (s *System) stopConsole(ctx context.Context) {
	if s.console == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	s.console.Stop(ctx)
}
