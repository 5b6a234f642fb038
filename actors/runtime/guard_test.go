package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// fragile panics at the messages it is told to and reports all others.
type fragile struct {
	panicsAt []string // types of messages, each once
	seen     chan string
	cleaned  chan struct{}
}

// toFragile is what a fragile actor takes.
type toFragile interface{ toFragile() }

type bomb struct{ Held }

type harmless struct{}

func (*bomb) toFragile()     {}
func (*harmless) toFragile() {}

func (f *fragile) Receive(ctx actor.Context) {
	kind := fmt.Sprintf("%T", ctx.Message())
	if i := slices.Index(f.panicsAt, kind); i >= 0 {
		f.panicsAt = slices.Delete(f.panicsAt, i, i+1)
		panic("boom at " + kind)
	}
	f.seen <- kind
}

func (f *fragile) Crashed() { f.cleaned <- struct{}{} }

func (f *fragile) saw(t *testing.T, want ...string) {
	t.Helper()
	for _, want := range want {
		if got := <-f.seen; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func newFragile(r *Runtime, strategy actor.SupervisorStrategy, panicsAt ...string) (*fragile, Ref[toFragile]) {
	f := &fragile{panicsAt: panicsAt, seen: make(chan string, 100), cleaned: make(chan struct{}, 9)}
	return f, Spawn[toFragile](r, "fragile", func() actor.Actor { return f }, actor.WithGuardian(strategy))
}

func TestPanicInUserMessage(t *testing.T) {
	bombs := func(ref Ref[toFragile], w *Window, n int) {
		for range n {
			w.Acquire(10)
			ref.Send(&bomb{Hold(NewLease(w, 10))})
		}
	}
	t.Run("restarted", func(t *testing.T) {
		r, told := newRuntime(t, slog.New(slog.DiscardHandler))
		w := window(1 << 20)
		f, ref := newFragile(r, r.Permanent, "*runtime.bomb")
		f.saw(t, "*actor.Started")
		bombs(ref, w, 2)
		f.saw(t, "*actor.Restarting", "*actor.Started", "*runtime.bomb")
		await(t, "crashed", f.cleaned)
		returned(t, w)
		wantCrash(t, told, 1)
		r.System.Root.Stop(ref.PID())
		ended(t, r, ref.PID())
	})
	t.Run("stopped", func(t *testing.T) {
		r, told := newRuntime(t, slog.New(slog.DiscardHandler))
		w := window(1 << 20)
		f, ref := newFragile(r, r.Temporary, "*runtime.bomb")
		f.saw(t, "*actor.Started")
		bombs(ref, w, 5)
		f.saw(t, "*actor.Stopping", "*actor.Stopped")
		await(t, "crashed", f.cleaned)
		ended(t, r, ref.PID())
		returned(t, w)
		wantCrash(t, told, 1)
		if got := told.count(Stopped); got != 4 {
			t.Errorf("%d messages buried, want the 4 behind the crash", got)
		}
	})
}

func wantCrash(t *testing.T, told *reports, want int) {
	t.Helper()
	if got := told.panics(); got != want {
		t.Errorf("%d panics reported, want %d", got, want)
	}
	if got := told.count(Panicked); got != want {
		t.Errorf("%d messages lost by a panic, want %d", got, want)
	}
}

// The library would leave an actor that panics here half alive and its parent waiting.
func TestPanicAtTheEnd(t *testing.T) {
	for _, at := range []string{"*actor.Stopping", "*actor.Stopped"} {
		t.Run(at, func(t *testing.T) {
			r, told := newRuntime(t, slog.New(slog.DiscardHandler))
			f, ref := newFragile(r, r.Permanent, at)
			f.saw(t, "*actor.Started")
			r.System.Root.Stop(ref.PID())
			await(t, "crashed", f.cleaned)
			ended(t, r, ref.PID())
			if got := told.panics(); got != 1 {
				t.Errorf("%d panics counted, want 1", got)
			}
		})
	}
	t.Run("*actor.Restarting", func(t *testing.T) {
		r, told := newRuntime(t, slog.New(slog.DiscardHandler))
		f, ref := newFragile(r, r.Permanent, "*runtime.bomb", "*actor.Restarting")
		f.saw(t, "*actor.Started")
		ref.Send(&bomb{})
		f.saw(t, "*actor.Started")
		ref.Send(&harmless{})
		f.saw(t, "*runtime.harmless")
		if got := told.panics(); got != 2 {
			t.Errorf("%d panics counted, want 2", got)
		}
		r.System.Root.Stop(ref.PID())
		ended(t, r, ref.PID())
	})
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	var log bytes.Buffer
	r, _ := newRuntime(t, slog.New(slog.NewTextHandler(&log, nil)))
	f, ref := newFragile(r, r.Temporary, "*runtime.bomb")
	f.saw(t, "*actor.Started")
	ref.Send(&bomb{})
	ended(t, r, ref.PID())
	for _, want := range []string{"boom at *runtime.bomb", "kind=fragile", "guard_test.go", "message=*runtime.bomb"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}

// What a message holds goes back after the actor has handled it, unless the actor has passed it on.
func TestGuardGivesBack(t *testing.T) {
	r, _ := newRuntime(t, slog.New(slog.DiscardHandler))
	w := window(1 << 20)
	var passed Held
	handled := make(chan struct{})
	ref := Spawn[toFragile](r, "passing", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *bomb:
				passed = m.Pass()
			case *harmless:
				close(handled)
			}
		})
	})
	w.Acquire(10)
	ref.Send(&bomb{Hold(NewLease(w, 10))})
	ref.Send(&harmless{})
	await(t, "both messages", handled)
	if got := w.Used(); got != 10 {
		t.Errorf("%d bytes leased, want the 10 that were passed on", got)
	}
	passed.Release()
	f, fragile := newFragile(r, r.Permanent)
	w.Acquire(10)
	fragile.Send(&bomb{Hold(NewLease(w, 10))})
	f.saw(t, "*actor.Started", "*runtime.bomb")
	returned(t, w)
	r.System.Root.Stop(ref.PID())
	r.System.Root.Stop(fragile.PID())
	ended(t, r, ref.PID())
	ended(t, r, fragile.PID())
}

// A message to an actor that has stopped is lost and gives back what it holds.
func TestSendBehindTheEnd(t *testing.T) {
	r, told := newRuntime(t, slog.New(slog.DiscardHandler))
	f, ref := newFragile(r, r.Permanent)
	f.saw(t, "*actor.Started")
	r.System.Root.Stop(ref.PID())
	ended(t, r, ref.PID())
	w := window(1 << 20)
	w.Acquire(10)
	ref.Send(&bomb{Hold(NewLease(w, 10))})
	returned(t, w)
	if got := told.count(Stopped); got != 1 {
		t.Errorf("%d messages lost, want 1", got)
	}
}

// The supervisor of an actor with a quiet guard gets the reason as it is, and nothing is reported.
func TestQuietGuard(t *testing.T) {
	var log bytes.Buffer
	r, told := newRuntime(t, slog.New(slog.NewTextHandler(&log, nil)))
	reason := errors.New("boom")
	failed := make(chan any, 1)
	strategy := actor.NewOneForOneStrategy(1, 0, func(got any) actor.Directive {
		failed <- got
		return actor.StopDirective
	})
	pid := r.System.Root.Spawn(r.QuietProps("quiet", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*bomb); ok {
				panic(reason)
			}
		})
	}, actor.WithGuardian(strategy)))
	r.System.Root.Send(pid, &bomb{})
	if got := <-failed; got != reason {
		t.Errorf("the supervisor got %v, want the reason", got)
	}
	ended(t, r, pid)
	if n := told.panics(); n != 0 || log.Len() > 0 {
		t.Errorf("%d panics reported, log: %s", n, log.String())
	}
}
