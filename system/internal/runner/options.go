package runner

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"strowger/actors/clock"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// longestName is the most bytes that a name may have.
const longestName = 128

// withDefaults returns a copy with the zero values filled in, or everything that is wrong.
func withDefaults(s *service.Service) (service.Service, error) {
	c := *s
	v, l := &c.Supervision, &c.Limits
	c.Limits = service.Limits{Open: cmp.Or(l.Open, 16384), Mailbox: cmp.Or(l.Mailbox, 4096), Work: cmp.Or(l.Work, 1024),
		Events: cmp.Or(l.Events, 64), Timers: cmp.Or(l.Timers, 4096), Pool: l.Pool, Abandoned: cmp.Or(l.Abandoned, 3)}
	c.GatherTimeout = cmp.Or(c.GatherTimeout, 2*time.Second)
	v.Intensity = cmp.Or(v.Intensity, 5)
	v.PingEvery = cmp.Or(v.PingEvery, 5*time.Second)
	v.WorkTimeout = cmp.Or(v.WorkTimeout, 5*time.Minute)
	for _, d := range []struct {
		field *time.Duration
		zero  time.Duration
	}{
		{&v.Period, 10 * time.Second}, {&v.Backoff, 100 * time.Millisecond}, {&v.BackoffCap, 30 * time.Second},
		{&v.CoolDown, 30 * time.Second}, {&v.Quiet, 30 * time.Second},
		{&v.PingTimeout, 10 * time.Second}, {&v.StopTimeout, 5 * time.Second},
	} {
		*d.field = cmp.Or(*d.field, d.zero)
	}
	return c, check(&c)
}

func check(s *service.Service) error {
	var problems []error
	switch {
	case s.Name == "":
		problems = append(problems, errors.New("name is empty"))
	case len(s.Name) > longestName:
		problems = append(problems, fmt.Errorf("name has %d bytes, %d are allowed", len(s.Name), longestName))
	case !utf8.ValidString(s.Name):
		problems = append(problems, errors.New("name is not UTF-8"))
	case strings.Contains(s.Name, "/"):
		problems = append(problems, errors.New("name has a slash"))
	case s.Name == "authentication" || s.Name == "INVALID":
		problems = append(problems, errors.New("name is the router's own"))
	}
	if s.Setup == nil {
		problems = append(problems, errors.New("setup is nil"))
	}
	v := s.Supervision
	if v.Restart < service.Permanent || v.Restart > service.Temporary {
		problems = append(problems, fmt.Errorf("restart type %d is unknown", int(v.Restart)))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"request timeout", s.RequestTimeout}, {"gather timeout", s.GatherTimeout}, {"period", v.Period}, {"backoff", v.Backoff}, {"backoff cap", v.BackoffCap},
		{"cool-down", v.CoolDown}, {"quiet", v.Quiet}, {"ping timeout", v.PingTimeout}, {"stop timeout", v.StopTimeout}, {"hang period", v.HangPeriod},
	} {
		if d.value < 0 {
			problems = append(problems, fmt.Errorf("%s is %s, must not be negative", d.name, d.value))
		}
	}
	l := s.Limits
	for _, n := range []struct {
		name  string
		value int
	}{{"open", l.Open}, {"mailbox", l.Mailbox}, {"work", l.Work}, {"events", l.Events}, {"timers", l.Timers}, {"abandoned", l.Abandoned}, {"pool", l.Pool}} {
		if n.value < 0 {
			problems = append(problems, fmt.Errorf("limit %s is %d, must not be negative", n.name, n.value))
		}
	}
	return errors.Join(problems...)
}

func (o Options) withDefaults() (Options, error) {
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Slept == nil {
		o.Slept = func() time.Duration { return 0 }
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Pool = cmp.Or(o.Pool, 8)
	o.RequestTimeout = cmp.Or(o.RequestTimeout, 30*time.Second)
	var problems []error
	if o.Pool < 0 {
		problems = append(problems, fmt.Errorf("pool is %d, must not be negative", o.Pool))
	}
	if o.RequestTimeout < 0 {
		problems = append(problems, fmt.Errorf("request timeout is %s, must not be negative", o.RequestTimeout))
	}
	for n, option := range o.Actor {
		if option == nil {
			problems = append(problems, fmt.Errorf("actor option %d of %d is nil", n+1, len(o.Actor)))
		}
	}
	return o, errors.Join(problems...)
}

// spec is the child that the home's supervisor keeps.
func spec(s *service.Service) supervisor.Spec {
	v := s.Supervision
	child := supervisor.Spec{
		Name:        s.Name,
		Restart:     supervisor.Restart(v.Restart),
		Drain:       true,
		StopTimeout: v.StopTimeout,
		PingEvery:   max(v.PingEvery, 0),
		PingTimeout: v.PingTimeout,
		HangPeriod:  v.HangPeriod,
		Breaker:     &supervisor.Breaker{CoolDown: v.CoolDown, Quiet: v.Quiet},
		Pace: supervisor.Pace{Intensity: v.Intensity, Period: v.Period,
			Backoff: v.Backoff, BackoffCap: v.BackoffCap},
	}
	if v.Restart == service.Temporary {
		child.Breaker, child.Pace = nil, supervisor.Pace{} // it never starts again
	}
	return child
}
