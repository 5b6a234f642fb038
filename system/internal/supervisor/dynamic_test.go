package supervisor

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// obeys asks the supervisor and returns what it refuses, empty if it has obeyed.
func (b *bench) obeys(message any) string {
	b.t.Helper()
	if err := b.ask(b.pid, message).(*Obeyed).Err; err != nil {
		return err.Error()
	}
	return ""
}

func (b *bench) add(name string, change func(*Spec)) string {
	b.t.Helper()
	return b.obeys(&Add{Child: workers(name, change)[0]})
}

// names returns the children in their order.
func (b *bench) names() (names string) {
	b.t.Helper()
	for _, c := range b.snapshot().Children {
		names += c.Name
	}
	return names
}

func TestAddAndRemove(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", nil)})
	b.want("started a-1", "started b-1")
	if got := b.add("c", nil); got != "" {
		t.Fatal(got)
	}
	b.want("started c-1")
	for name, want := range map[string]string{"a": `child "a": name is taken`, "c": `child "c": name is taken`, "x/y": `child "x/y": name is empty or has a slash`} {
		if got := b.add(name, nil); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	b.do("crash c")
	b.want("failed c-1: boom", "restarting c in place", "up c-1 in place")
	if got := b.names(); got != "abc" {
		t.Errorf("children %s", got)
	}
	if got := b.obeys(&Remove{"c"}); got != "" {
		t.Fatal(got)
	}
	b.want("retired c", "stopped c-1", "removed c")
	// One that was there from the start goes as well, and one that has finished.
	b.order("b", DoStop)
	b.want("retired b", "stopped b-1")
	if got := b.obeys(&Remove{"b"}); got != "" {
		t.Fatal(got)
	}
	b.want("removed b")
	for _, name := range []string{"b", "nobody"} {
		if got, want := b.obeys(&Remove{name}), fmt.Sprintf("there is no child %q", name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := b.names(); got != "a" {
		t.Errorf("children %s", got)
	}
	b.quiet()
}

// No PID is used again, because an abandoned child of that PID may still run, and would take it along when it ends.
func TestNoPIDIsUsedTwice(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	b.add("c", nil)
	b.want("started c-1")
	release := b.hang("c")
	removed := b.system.Root.RequestFuture(b.pid, &Remove{"c"}, patience)
	b.want("retired c")
	if got := b.obeys(&Remove{"c"}); got != "it is being removed" {
		t.Error(got)
	}
	if got := b.order("c", DoRestart); got != "it is being removed" {
		t.Error(got)
	}
	if got := b.add("c", nil); got != `child "c": name is taken` {
		t.Error(got)
	}
	b.do("advance 5s")
	b.want("abandoned c-1: not stopped after 5s", "removed c")
	if answer, err := removed.Result(); err != nil || answer.(*Obeyed).Err != nil {
		t.Errorf("%v, %v", answer, err)
	}
	b.add("c", nil)
	b.want("started c-2")
	pid := b.pids["c"]
	release()
	for range 100 { // the abandoned one ends meanwhile, and takes nothing along
		if n := b.ask(pid, &count{}).(int); n == 0 {
			t.Fatal("no count")
		}
	}
	b.quiet()
}

// A child that waits after a failure is removed at once.
func TestRemoveOneThatWaits(t *testing.T) {
	breaker := func(s *Spec) { s.Breaker, s.Pace = &Breaker{CoolDown: time.Minute}, Pace{Intensity: -1} }
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	b.add("c", breaker)
	b.want("started c-1")
	b.do("crash c")
	b.want("failed c-1: boom", "opened c for 1m0s", "stopped c-1")
	if got := b.obeys(&Remove{"c"}); got != "" {
		t.Fatal(got)
	}
	b.want("closed c", "retired c", "removed c")
	b.do("advance 10m") // the cool-down is over, and nothing starts
	b.quiet()
}

// Children that were added live through a restart of the supervisor, and those that were removed do not come back.
func TestSupervisorRestartsWithItsDynamicChildren(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", nil)})
	b.want("started a-1", "started b-1")
	b.add("c", nil)
	b.want("started c-1")
	b.obeys(&Remove{"b"})
	b.want("retired b", "stopped b-1", "removed b")
	process, _ := b.system.ProcessRegistry.Get(b.pid)
	process.SendSystemMessage(b.pid, &actor.Restart{})
	b.wantAll("stopped a-1", "stopped c-1", "started a-2", "started c-2")
	if got := b.names(); got != "ac" {
		t.Errorf("children %s", got)
	}
}

// A child that is being removed when the supervisor restarts is gone, and whoever waits for that is answered.
func TestSupervisorRestartsDuringARemoval(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	b.add("c", nil)
	b.want("started c-1")
	release := b.hang("c")
	removed := b.system.Root.RequestFuture(b.pid, &Remove{"c"}, patience)
	b.want("retired c")
	process, _ := b.system.ProcessRegistry.Get(b.pid)
	process.SendSystemMessage(b.pid, &actor.Restart{})
	b.want("stopped a-1")
	release()
	b.want("stopped c-1", "removed c", "started a-2")
	if answer, err := removed.Result(); err != nil || answer.(*Obeyed).Err != nil {
		t.Errorf("%v, %v", answer, err)
	}
	if got := b.names(); got != "a" {
		t.Errorf("children %s", got)
	}
}

// Nothing is added or removed while all stop, and whoever waits is answered.
func TestDynamicChildrenAndShutdown(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", nil)})
	b.want("started a-1", "started b-1")
	release := b.hang("b")
	removed := b.system.Root.RequestFuture(b.pid, &Remove{"b"}, patience)
	b.want("retired b")
	stopped := b.system.Root.RequestFuture(b.pid, &Shutdown{}, patience)
	if got := b.add("c", nil); got != errAllStop.Error() {
		t.Errorf("add: %q", got)
	}
	if got := b.obeys(&Remove{"a"}); got != errAllStop.Error() {
		t.Errorf("remove: %q", got)
	}
	release()
	b.want("stopped b-1", "removed b", "stopped a-1")
	if answer, err := removed.Result(); err != nil || answer.(*Obeyed).Err != nil {
		t.Errorf("%v, %v", answer, err)
	}
	if err := stopped.Wait(); err != nil {
		t.Error(err)
	}
}
