package runner

import (
	"fmt"
	"time"

	"strowger/system/service"
)

// Timer implements service.Timer. The zero Timer never calls: it stands for one that was a mistake.
type Timer struct {
	life   *life // nil: of the zero Timer
	f      func(c service.Context)
	start  time.Time
	every  time.Duration // 0: once
	jitter time.Duration
	turn   uint64 // of the call that is to come; an earlier one is not meant any more
	stop   func() bool
}

// tick says that a timer is due.
type tick struct {
	timer *Timer
	turn  uint64
}

// Every is for service.Context.
func (c *Context) Every(d time.Duration, f func(c service.Context)) service.Timer {
	switch {
	case f == nil:
		c.mistake("Every: function is nil")
	case d <= 0:
		c.mistake("Every: interval %s is not positive", d)
	default:
		return c.life.timer(d, 0, f)
	}
	return &Timer{}
}

// After is for service.Context.
func (c *Context) After(d time.Duration, f func(c service.Context)) service.Timer {
	if f == nil {
		c.mistake("After: function is nil")
		return &Timer{}
	}
	return c.life.timer(0, d, f)
}

// Jitter is for service.Timer.
func (t *Timer) Jitter(most time.Duration) service.Timer {
	if t.life == nil {
		return t
	}
	if most < 0 || most > 0 && most >= t.every {
		t.life.context.mistake("Jitter: %s is not between 0 and the interval of %s", most, t.every)
		return t
	}
	if t.every == 0 {
		return t
	}
	t.jitter = most
	if t.stop != nil {
		t.arm()
	}
	return t
}

// Stop is for service.Timer.
func (t *Timer) Stop() {
	if t.life == nil {
		return
	}
	t.disarm()
	delete(t.life.timers, t)
}

func (l *life) timer(every, after time.Duration, f func(c service.Context)) *Timer {
	if most := l.instance.service.Limits.Timers; len(l.timers) >= most {
		panic(fmt.Sprintf("service: more than %d timers: is one set at every message?", most))
	}
	t := &Timer{life: l, f: f, every: every, start: l.instance.o.Clock.Now()}
	l.timers[t] = struct{}{}
	if every > 0 {
		t.arm()
	} else {
		t.in(after)
	}
	return t
}

// arm sets the next call on the grid.
func (t *Timer) arm() {
	elapsed := t.life.instance.o.Clock.Now().Sub(t.start)
	in := (elapsed/t.every+1)*t.every - elapsed
	if t.jitter > 0 {
		in += time.Duration(t.life.instance.o.Random() * float64(t.jitter))
	}
	t.in(in)
}

func (t *Timer) in(d time.Duration) {
	t.disarm()
	due := &tick{t, t.turn}
	t.stop = t.life.instance.o.Clock.AfterFunc(d, func() { t.life.post(due) })
}

// disarm also unmakes a tick that is in the mailbox already.
func (t *Timer) disarm() {
	t.turn++
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
}

// fire runs the call, and then sets the next one.
func (t *Timer) fire(turn uint64) {
	if turn != t.turn {
		return
	}
	t.life.instance.counters.Ticks.Add(1)
	if t.every == 0 {
		t.Stop()
	}
	t.f(&t.life.context)
	if t.every > 0 && turn == t.turn {
		t.arm()
	}
}
