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

// Stop takes no more connections, lets the services finish, closes the connections with 1001, as many in a second as
// shutdown.pace says, and waits for them until ctx ends. Then it cuts them off, and abandons each service that does not
// end at once. The error wraps ctx's if it came to that.
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
		s.deps.Stop()
		s.lines.Close()
		return nil
	case begun, stopped:
		return nil // Start cleaned up when it failed, as the first Stop did
	}
	s.stopConsole(ctx)
	if by, ok := ctx.Deadline(); ok {
		s.stopBy.Store(&by)
	}
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
	if err := s.services.wait(ctx); err != nil {
		s.log.Error("work of a service still runs", "err", err)
	}
	s.disconnect()
	s.adminPort.close()
	if err := s.pool.wait(ctx); err != nil {
		s.log.Error("token files still being read", "err", err)
	}
	s.leave()
	s.egress.Stop()
	s.deps.Stop()
	s.heapFloor.stop()
	s.lines.Close()
	s.sumUp()
	return err
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
