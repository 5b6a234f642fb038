package supervisor

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestStorm throws failures and ends at a supervisor faster than it can mend them, on the machine's
// clock, and then wants everybody back and an orderly shutdown.
func TestStorm(t *testing.T) {
	for _, strategy := range []Strategy{OneForOne, RestForOne, AllForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			b := newBench(t)
			specs := append(workers("a b", nil), breakers("c")...)
			specs[2].Breaker.CoolDown, specs[2].Breaker.Quiet = time.Millisecond, time.Millisecond
			props, err := New(Options{Strategy: strategy, Children: specs, Intensity: 1 << 20,
				Period: time.Millisecond, Backoff: 100 * time.Microsecond, BackoffCap: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			b.pid = b.system.Root.Spawn(props)
			random := rand.New(rand.NewPCG(1, uint64(strategy)))
			failures := uint64(0)
			for end := time.Now().Add(patience); failures < 200; {
				if time.Now().After(end) {
					t.Fatalf("only %d failures", failures)
				}
				failures = 0
				for _, child := range b.snapshot().Children {
					failures += child.Failures
					if child.PID == nil {
						continue
					}
					if random.IntN(2) == 0 {
						b.system.Root.Send(child.PID, &crash{"storm"})
					} else {
						b.system.Root.Send(child.PID, &leave{})
					}
				}
			}
			b.healed()
			for _, child := range b.snapshot().Children {
				if got := b.ask(child.PID, &count{}); got != 1 {
					t.Errorf("%s counted %v, want 1", child.Name, got)
				}
			}
			b.ask(b.pid, &Shutdown{})
			b.gone(b.pid)
		})
	}
}

// healed waits until all children run and have handled all that they were sent.
func (b *bench) healed() {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		before := b.snapshot()
		running := 0
		for _, child := range before.Children {
			if child.State != Running {
				continue
			}
			// Answered or not, nothing that was sent before is still in the mailbox.
			_, err := b.system.Root.RequestFuture(child.PID, &Ping{}, time.Second/10).Result()
			if err == nil {
				running++
			}
		}
		after := b.snapshot()
		same := running == len(before.Children)
		for i := range after.Children {
			same = same && before.Children[i].Failures == after.Children[i].Failures && after.Children[i].State == Running
		}
		if same {
			return
		}
	}
	b.t.Fatalf("not healed: %+v", b.snapshot())
}
