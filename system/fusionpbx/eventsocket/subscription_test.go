package eventsocket

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func subscription(events, size int) *Subscription {
	return &Subscription{maxLen: events, maxSize: size, wake: make(chan struct{}, 1), client: &Client{}}
}

// deliveries takes what waits and writes it down: sizes of events, g and lost for a gap, d for a down.
func deliveries(t *testing.T, s *Subscription) string {
	t.Helper()
	text := ""
	for {
		d, ok, err := s.take()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return text
		}
		switch d.Kind {
		case KindEvent:
			text += fmt.Sprintf("%d ", d.Event.size)
		case KindGap:
			text += fmt.Sprintf("g%d ", d.Lost)
		case KindDown:
			text += "d "
		}
	}
}

func TestQueue(t *testing.T) {
	event := func(size int) func(*Subscription) { return func(s *Subscription) { s.push(&Event{size: size}) } }
	gap := func(s *Subscription) { s.mark(KindGap) }
	down := func(s *Subscription) { s.mark(KindDown) }
	miss := func(s *Subscription) { s.miss() }
	one := func(s *Subscription) { _, _, _ = s.take() }
	tests := map[string]struct {
		steps []func(*Subscription)
		want  string
		lost  uint64
	}{
		"in order":               {[]func(*Subscription){gap, event(1), event(2), down}, "g0 1 2 d ", 0},
		"a place is free again":  {[]func(*Subscription){event(1), event(2), event(3), one, event(4)}, "2 3 4 ", 0},
		"too many":               {[]func(*Subscription){gap, event(1), event(2), event(3), event(4), event(5)}, "g4 5 ", 4},
		"too many, again":        {[]func(*Subscription){event(1), event(1), event(1), event(1), event(2), event(2), event(2), event(2)}, "g8 ", 8},
		"too many bytes":         {[]func(*Subscription){event(60), event(50), event(5)}, "g2 5 ", 2},
		"larger than the queue":  {[]func(*Subscription){event(101), event(1)}, "g1 1 ", 1},
		"bytes are free again":   {[]func(*Subscription){event(60), one, event(50)}, "50 ", 0},
		"down and up":            {[]func(*Subscription){gap, event(1), down, gap, down, gap}, "g0 1 g0 ", 0},
		"down and up and events": {[]func(*Subscription){event(1), down, gap, event(2)}, "1 g0 2 ", 0},
		"missed":                 {[]func(*Subscription){event(1), miss, miss, event(2)}, "1 g2 2 ", 2},
		"missed, then down":      {[]func(*Subscription){miss, down}, "d ", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := subscription(3, 100)
			for _, step := range test.steps {
				step(s)
			}
			if got := deliveries(t, s); got != test.want || s.Lost() != test.lost {
				t.Errorf("got %q, lost %d, want %q, lost %d", got, s.Lost(), test.want, test.lost)
			}
		})
	}
}

// TestQueueMemory has a queue that is never empty for long. It must not grow.
func TestQueueMemory(t *testing.T) {
	s := subscription(10, 1000)
	for i := range 10_000 {
		s.push(&Event{size: i % 7})
		if i > 5 {
			_, _, _ = s.take()
		}
	}
	if cap(s.queue) > 32 || s.events > 10 {
		t.Errorf("capacity %d, %d events", cap(s.queue), s.events)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		_, err := s.Next(ended)
		if err != nil {
			break
		}
	}
	if s.size != 0 || s.events != 0 {
		t.Errorf("an empty queue has %d events of %d bytes", s.events, s.size)
	}
}

func TestBackoff(t *testing.T) {
	random := 0.0
	c, err := New(Options{Password: "x", MinBackoff: 100, MaxBackoff: 1000, Random: func() float64 { return random }})
	if err != nil {
		t.Fatal(err)
	}
	for failures, want := range map[int]time.Duration{1: 100, 2: 200, 4: 800, 5: 1000, 100: 1000} {
		if got := c.backoff(failures, errGoodbye); got != want {
			t.Errorf("%d failures: %d, want %d", failures, got, want)
		}
	}
	random = 1
	if got := c.backoff(1, errGoodbye); got != 50 {
		t.Errorf("jitter: %d, want 50", got)
	}
	if got := c.backoff(1, fmt.Errorf("x: %w", ErrPassword)); got != 500 {
		t.Errorf("refused: %d, want 500", got)
	}
}
