package supervisor

import (
	"strings"
	"testing"
	"time"
)

// order gives an order and returns what was wrong with it.
func (b *bench) order(child string, do Deed) string {
	b.t.Helper()
	if err := b.ask(b.pid, &Order{Child: child, Do: do}).(*Obeyed).Err; err != nil {
		return err.Error()
	}
	return ""
}

func (b *bench) can(want string) {
	b.t.Helper()
	if got := strings.Join(b.snapshot().Children[0].Possible.Words(), " "); got != want {
		b.t.Errorf("possible: %q, want %q", got, want)
	}
}

func TestOrders(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", func(s *Spec) {
		s.Breaker, s.Pace = &Breaker{CoolDown: time.Minute}, Pace{Intensity: 1}
	})})
	b.want("started a-1", "started b-1")
	refused := func(do Deed, want string) {
		t.Helper()
		if got := b.order("a", do); got != want {
			t.Errorf("%v: %q, want %q", do.Words(), got, want)
		}
		b.quiet()
	}
	done := func(do Deed, events ...string) {
		t.Helper()
		if got := b.order("a", do); got != "" {
			t.Fatalf("%v: %s", do.Words(), got)
		}
		b.want(events...)
		b.quiet()
	}
	b.can("restart stop")
	refused(DoStart, "it is not stopped")
	refused(DoReset, "its breaker is closed, and it does not wait")
	if got := b.order("c", DoStop); got != `there is no child "c"` {
		t.Error(got)
	}
	done(DoRestart, "restarting a in 0s", "stopped a-1", "up a-2")
	done(DoStop, "retired a", "stopped a-2")
	b.can("start")
	refused(DoStop, "it is stopped: start it")
	refused(DoRestart, "it is stopped: start it")
	b.do("advance 10m")
	b.quiet()
	done(DoStart, "up a-3")

	open := func(generation string, first bool) {
		t.Helper()
		if first {
			b.do("crash a")
			b.want("failed a-"+generation+": boom", "restarting a in place", "up a-"+generation+" in place")
		}
		b.do("crash a")
		b.want("failed a-"+generation+": boom", "opened a for 1m0s", "stopped a-"+generation)
		b.can("restart stop reset")
	}
	open("3", true)
	done(DoReset, "closed a", "up a-4")
	b.can("restart stop")
	open("4", true)
	done(DoRestart, "half-opened a", "up a-5")
	open("5", false)
	done(DoStop, "closed a", "retired a")
	b.do("advance 10m") // the cool-down is over, and it stays down
	b.quiet()
	done(DoStart, "up a-6")
	b.do("advance 1m") // no probe, no quiet time
	b.quiet()
	b.can("restart stop")
}

// A child that is being stopped takes no order, and one that hangs is abandoned and then started again.
func TestOrderToOneThatHangs(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	release := b.hang("a")
	defer release()
	if got := b.order("a", DoRestart); got != "" {
		t.Fatal(got)
	}
	b.want("restarting a in 0s")
	b.can("")
	if got := b.order("a", DoStop); got != "it is being stopped" {
		t.Errorf("got %q", got)
	}
	b.do("advance 5s")
	b.want("abandoned a-1: not stopped after 5s", "up a-2")
}

// A pause ends when an operator says so.
func TestOrderEndsAPause(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	b.do("crash a")
	b.want("failed a-1: boom", "restarting a in place", "up a-1 in place")
	b.do("crash a")
	b.want("failed a-1: boom", "restarting a in 50ms", "stopped a-1")
	if got := b.order("a", DoRestart); got != "" {
		t.Fatal(got)
	}
	b.want("up a-2")
	b.do("advance 1s")
	b.quiet()
}

// A child that is to be down waits for an order to start. The others do not wait for it, and it ends with them.
func TestChildThatIsDown(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", func(s *Spec) {
		s.Down = s.Name == "a"
	})})
	b.want("started b-1")
	b.can("start")
	b.do("advance 10m")
	b.quiet()
	if got := b.order("a", DoStart); got != "" {
		t.Fatal(got)
	}
	b.want("started a-1")
	if got := b.order("a", DoStop); got != "" {
		t.Fatal(got)
	}
	b.want("retired a", "stopped a-1")
	b.can("start")
}
