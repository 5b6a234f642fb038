package transport

import (
	"io"
	"strings"
	"sync"
	"testing"
)

// BenchmarkFanOut sends a frame of 600 bytes to a group of 1,000 over loopback; one operation is
// one broadcast, handed to the kernel for all.
func BenchmarkFanOut(b *testing.B) {
	const members = 1000
	r := newRig(b, nil)
	group := r.NewGroup()
	var reading sync.WaitGroup
	b.Cleanup(reading.Wait)
	for range members {
		near, far := r.tcpPair(0)
		group.Add(r.attached(near))
		reading.Go(func() {
			_, _ = io.Copy(io.Discard, far)
			_ = far.Close()
		})
	}
	f := framed(strings.Repeat("x", 596))
	r.settle()
	b.SetBytes(members * int64(len(f.Form)))
	b.ReportAllocs()
	for b.Loop() {
		group.Send(f, nil)
		r.settle()
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/members, "ns/delivery")
	if n := r.deps.Counters.SlowConsumers.Load(); n > 0 {
		b.Errorf("%d slow consumers", n)
	}
}
