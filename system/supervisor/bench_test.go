package supervisor

import (
	"testing"
	"time"
)

// BenchmarkPanicToNextMessage measures how long it takes from sending a message that makes a child
// panic to the answer to the next one, which the restarted child gives.
func BenchmarkPanicToNextMessage(b *testing.B) {
	system := newSystem()
	props, err := New(Options{Children: workers("a", nil), Intensity: 1 << 30, Period: time.Nanosecond})
	if err != nil {
		b.Fatal(err)
	}
	pid := system.Root.Spawn(props)
	answer, err := system.Root.RequestFuture(pid, &Inspect{}, patience).Result()
	if err != nil {
		b.Fatal(err)
	}
	child := answer.(*Snapshot).Children[0].PID
	for b.Loop() {
		system.Root.Send(child, &crash{"boom"})
		if _, err := system.Root.RequestFuture(child, &count{}, patience).Result(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := system.Root.StopFuture(pid).Wait(); err != nil {
		b.Fatal(err)
	}
}
