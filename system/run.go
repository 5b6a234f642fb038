package system

import (
	"context"
	"errors"
	"fmt"
)

// Run starts the system and returns when it has stopped. When ctx ends, Run stops the system as Stop does
// and gives it shutdown.timeout, as the settings say at that time. It returns nil when everything was done
// by then, and otherwise an error that wraps context.DeadlineExceeded. It returns an error at once when the
// system cannot start or was started before. When the system gives up while it runs (see Failed), Run stops
// it in the same way and returns an error. A nil ctx never ends.
//
// Another goroutine may use all methods while Run runs; Started tells when connections are accepted. After
// Run the system cannot be started again.
func (s *System) Run(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := s.Start(); err != nil {
		return err
	}
	var gaveUp error
	select {
	case <-ctx.Done():
	case gaveUp = <-s.failed:
		gaveUp = fmt.Errorf("gave up: %w", gaveUp)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.running.Load().Shutdown.Timeout)
	defer cancel()
	return errors.Join(gaveUp, s.Stop(stop))
}

// Started returns a channel that is closed when the system accepts connections. It stays open when the
// system cannot start; Start and Run say why. It is nil for a System that New has not made.
func (s *System) Started() <-chan struct{} {
	if !s.made() {
		return nil
	}
	return s.open
}
