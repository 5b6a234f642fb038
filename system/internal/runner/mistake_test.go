package runner

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/system/service"
)

// TestMistakesInSetup: calls that make no sense are the error of the start, all of them.
func TestMistakesInSetup(t *testing.T) {
	handle := func(service.Request) error { return nil }
	run := func(context.Context, service.Emit) error { return nil }
	tests := map[string]struct {
		do   func(s service.Setup)
		want string
	}{
		"topic twice":      {func(s service.Setup) { s.Handle("a", handle); s.Handle("a", handle) }, `Handle: topic "a" is empty, handled already or the home's`},
		"empty topic":      {func(s service.Setup) { s.Handle("", handle) }, `Handle: topic "" is empty, handled already or the home's`},
		"home's topic":     {func(s service.Setup) { s.Handle(service.StateTopic, handle) }, `Handle: topic "service_state" is empty, handled already or the home's`},
		"no handler":       {func(s service.Setup) { s.Handle("a", nil) }, "Handle: function is nil"},
		"no typed handler": {func(s service.Setup) { service.Handle[int](s, "a", nil) }, "Handle: function is nil"},
		"no source":        {func(s service.Setup) { s.Source("a", nil, nil) }, "Source: function is nil"},
		"source's handler": {func(s service.Setup) { s.Source("a", run, nil) }, "Source: function is nil"},
		"source's name":    {func(s service.Setup) { s.Source("", run, func(service.Context, any) {}) }, "Source: name is empty"},
		"no reload":        {func(s service.Setup) { s.OnReload(nil) }, "OnReload: function is nil"},
		"no stop":          {func(s service.Setup) { s.OnStop(nil) }, "OnStop: function is nil"},
		"no interval":      {func(s service.Setup) { s.Every(0, func(service.Context) {}).Jitter(1).Stop() }, "Every: interval 0s is not positive"},
		"no timer":         {func(s service.Setup) { s.After(0, nil).Stop() }, "After: function is nil"},
		"nothing repeated": {func(s service.Setup) { s.Every(1, nil).Stop() }, "Every: function is nil"},
		"too much jitter":  {func(s service.Setup) { s.Every(1, func(service.Context) {}).Jitter(1) }, "Jitter: 1ns is not between 0 and the interval of 1ns"},
		"negative jitter":  {func(s service.Setup) { s.Every(1, func(service.Context) {}).Jitter(-1) }, "Jitter: -1ns is not between 0 and the interval of 1ns"},
		"jitter of once":   {func(s service.Setup) { s.After(1, func(service.Context) {}).Jitter(1) }, "Jitter: 1ns is not between 0 and the interval of 0s"},
		"no work":          {func(s service.Setup) { s.Go(nil) }, "Go: function is nil"},
		"two of them":      {func(s service.Setup) { s.Go(nil); s.OnStop(nil) }, "Go: function is nil\nOnStop: function is nil"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &service.Service{Setup: func(s service.Setup) error { test.do(s); return nil }, Supervision: service.Supervision{Intensity: -1}})
			r.run()
			r.state("down 30")
			d := await(t, r.dead)
			if got := fmt.Sprint(d.Reason); got != test.want || d.Task != "setup" || d.Stack != nil {
				t.Errorf("%s: %s with a stack of %d bytes, want %s", d.Task, got, len(d.Stack), test.want)
			}
		})
	}
}

// TestMistakesLater: after Setup they cost the service nothing; the log names them.
func TestMistakesLater(t *testing.T) {
	tests := map[string]struct {
		do     func(s service.Setup, r service.Request)
		answer string // status and payload
		want   string
	}{
		"after setup": {func(s service.Setup, _ service.Request) { s.OnReload(func(service.Context) {}) }, "200 null", "OnReload: Setup has returned"},
		"handle":      {func(s service.Setup, _ service.Request) { s.Handle("b", nil) }, "200 null", "Handle: Setup has returned"},
		"no interval": {func(_ service.Setup, r service.Request) { r.Every(-1, func(service.Context) {}).Stop() }, "200 null", "Every: interval -1ns is not positive"},
		"no timer":    {func(_ service.Setup, r service.Request) { r.After(0, nil).Stop() }, "200 null", "After: function is nil"},
		"no work":     {func(_ service.Setup, r service.Request) { r.Go(nil) }, "500 null", "Go: function is nil"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &service.Service{Setup: func(s service.Setup) error {
				s.Handle("ping", pong)
				s.Handle("a", func(r service.Request) error {
					test.do(s, r)
					if r.Err() == nil {
						r.Reply(nil)
					}
					return nil
				})
				return nil
			}})
			log := new(memo)
			r.instance.log = slog.New(slog.NewTextHandler(log, nil))
			r.run()
			r.state("up")
			status, payload, _ := strings.Cut(test.answer, " ")
			r.want(r.ask("a", "") + " " + status + " a " + payload)
			r.ping()
			r.quiet()
			if c := r.instance.Counters(); c.Mistakes.Load() != 1 || c.Panics.Load() != 0 {
				t.Errorf("%d mistakes and %d panics counted, want 1 and none", c.Mistakes.Load(), c.Panics.Load())
			}
			if !strings.Contains(log.String(), `level=ERROR msg="call without effect" err="`+test.want) {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// Nothing of what a home can pass makes an instance panic.
func TestNilAsks(t *testing.T) {
	r := start(t, &service.Service{Setup: func(s service.Setup) error {
		s.Handle("ping", pong)
		s.Every(time.Hour, func(service.Context) {}).Jitter(0)
		s.After(time.Hour, func(service.Context) {}).Jitter(0)
		return nil
	}})
	released := false
	r.instance.Ask(nil)
	r.instance.Ask(&Ask{Held: releaser(func() { released = true })})
	r.instance.Observe(nil)
	r.instance.Gone("")
	r.ping()
	r.open(0)
	if err := r.instance.Idle(nil); err != nil { //nolint:staticcheck // this is what is tested
		t.Error(err)
	}
	if !released {
		t.Error("what was dropped is not released")
	}
	r.stop()
	if err := r.instance.Wait(nil); err != nil { //nolint:staticcheck // this is what is tested
		t.Error(err)
	}
	service.Handle[int](nil, "a", nil)
}
