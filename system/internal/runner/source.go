package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strowger/system/service"
)

// source is a goroutine that feeds events into one life of a service.
type source struct {
	life   *life
	name   string
	run    func(ctx context.Context, emit service.Emit) error
	handle func(c service.Context, event any)
	places chan struct{} // one taken for each event that the service has not handled
}

// occurrence is an event on its way to the service.
type occurrence struct {
	source *source
	event  any
}

func newSource(l *life, name string, run func(context.Context, service.Emit) error, handle func(service.Context, any)) *source {
	return &source{l, name, run, handle, make(chan struct{}, l.instance.service.Limits.Events)}
}

func (s *source) start() {
	s.life.instance.tasks.add()
	s.life.listening.Add(1)
	go func() {
		defer s.life.instance.tasks.done()
		defer s.life.listening.Add(-1)
		s.keep()
	}()
}

// keep calls run again as long as it fails.
func (s *source) keep() {
	i := s.life.instance
	v := i.service.Supervision
	longest := v.Backoff
	for {
		began := i.o.Clock.Now()
		err, crash := s.once()
		switch {
		case crash != nil:
			s.life.post(&failed{life: s.life, crash: crash})
			return
		case s.life.ctx.Err() != nil:
			return
		case err == nil:
			i.log.Info("source finished", "source", s.name)
			return
		}
		i.counters.Sources.Add(1)
		if i.o.Clock.Now().Sub(began) >= v.Period {
			longest = v.Backoff
		}
		longest = min(longest, v.BackoffCap)
		pause := time.Duration(i.o.Random() * float64(longest))
		i.log.Warn("source failed", "source", s.name, "err", err, "retry_after", pause)
		if !s.life.sleep(pause) {
			return
		}
		longest *= 2
	}
}

// errExit is the reason when an author's function ended its goroutine.
var errExit = errors.New("runtime.Goexit was called")

// once calls run and recovers what it throws. Goexit is reported by the deferred call, as nothing
// after it runs.
func (s *source) once() (err error, crash *Crash) {
	i := s.life.instance
	returned := false
	task := fmt.Sprintf("source %s", s.name)
	defer func() {
		if reason := recover(); reason != nil {
			crash = i.crash(task, reason)
		} else if !returned {
			s.life.post(&failed{life: s.life, crash: i.crash(task, errExit)})
		}
	}()
	err = s.run(s.life.ctx, s.emit)
	returned = true
	return err, nil
}

// emit waits until the home and then the service have room.
func (s *source) emit(event any) error {
	i, ctx := s.life.instance, s.life.ctx
	if err := i.home.Room(ctx); err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	s.life.post(&occurrence{s, event})
	return nil
}

func (h *host) occurred(m *occurrence) {
	if m.source.life != h.life {
		h.instance.counters.Dropped.Add(1)
		return
	}
	<-m.source.places
	h.task = "event"
	h.instance.counters.Events.Add(1)
	m.source.handle(&h.life.context, m.event)
}

// sleep is false if the life ended first.
func (l *life) sleep(d time.Duration) bool {
	over := make(chan struct{})
	stop := l.instance.o.Clock.AfterFunc(d, func() { close(over) })
	select {
	case <-over:
		return true
	case <-l.ctx.Done():
		stop()
		return false
	}
}
