package switchsim

import (
	"context"
	"time"
)

// Play waits for a client that listens and sends all events of the recording to the clients whose filters let
// them pass. It returns ctx's error if ctx ends first.
func (s *Simulator) Play(ctx context.Context) error {
	if err := s.AwaitListener(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.start = time.Now()
	s.mu.Unlock()
	for i, event := range s.plays().Events {
		if err := s.pause(ctx, event.At); err != nil {
			return err
		}
		if s.opts.Before != nil {
			if err := s.opts.Before(ctx, event); err != nil {
				return err
			}
		}
		s.mu.Lock()
		s.at = event.At
		s.mu.Unlock()
		switch number := i + 1; {
		case event.Cut > 0:
			if err := s.cut(ctx, event.Cut); err != nil {
				return err
			}
		case number == s.opts.Faults.StallAt:
			s.send(event, event.Raw[:len(event.Raw)/2])
			return nil
		case number == s.opts.Faults.DropAt:
			s.send(event, event.Raw[:len(event.Raw)/2])
			if err := s.cut(ctx, 0); err != nil {
				return err
			}
		default:
			s.send(event, s.mangled(event.Raw, number))
		}
	}
	return nil
}

// Flood sends the recording's events again and again, without cuts: count of them, perSecond in a second, or as fast
// as clients read if perSecond is 0. It waits for a client that listens.
func (s *Simulator) Flood(ctx context.Context, count int, perSecond float64) error {
	if err := s.AwaitListener(ctx); err != nil {
		return err
	}
	start, events := time.Now(), s.plays().Events
	for sent, i := 0, 0; sent < count; i++ {
		event := events[i%len(events)]
		if event.Cut > 0 {
			continue
		}
		if perSecond > 0 {
			due := start.Add(time.Duration(float64(sent) / perSecond * float64(time.Second)))
			if err := sleep(ctx, time.Until(due)); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		sent++
		s.send(event, s.mangled(event.Raw, sent))
	}
	return nil
}

func (s *Simulator) mangled(raw []byte, number int) []byte {
	f := s.opts.Faults
	if f.Mangle == nil || number%max(1, f.MangleEvery) != 0 {
		return raw
	}
	return f.Mangle(raw)
}

// send writes raw to each client whose filters let the event pass.
func (s *Simulator) send(event Event, raw []byte) {
	s.mu.Lock()
	var to []*conn
	for _, c := range s.conns {
		if c.listens && c.passes(event) {
			to = append(to, c)
		}
	}
	s.mu.Unlock()
	for _, c := range to {
		c.write(raw)
	}
}

// cut closes all connections, refuses new ones for a while, and waits for a client to listen again.
func (s *Simulator) cut(ctx context.Context, refuse time.Duration) error {
	if s.opts.Speed > 0 {
		s.mu.Lock()
		s.refuse = time.Now().Add(time.Duration(float64(refuse) / s.opts.Speed))
		s.mu.Unlock()
	}
	s.Drop()
	return s.AwaitListener(ctx)
}

func (s *Simulator) pause(ctx context.Context, at time.Duration) error {
	if s.opts.Speed == 0 {
		return ctx.Err()
	}
	return sleep(ctx, time.Until(s.start.Add(time.Duration(float64(at)/s.opts.Speed))))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
