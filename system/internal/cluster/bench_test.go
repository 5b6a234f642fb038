package cluster

import (
	"bytes"
	"fmt"
	"testing"

	"strowger/actors"
	"strowger/system/internal/cluster/membus"
)

// BenchmarkBroadcast sends a broadcast from one node to another over the bus in memory: once in a burst, and once one
// after the other.
func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{500, 50_000} {
		for _, window := range []int{1, 64} {
			b.Run(fmt.Sprintf("bytes=%d/window=%d", size, window), func(b *testing.B) { benchmarkBroadcast(b, size, window) })
		}
	}
}

func benchmarkBroadcast(b *testing.B, size, window int) {
	bus := membus.New(1)
	arrived := make(chan struct{}, window)
	nodes := make(chan actors.Node, 2)
	var all []*Links
	for i := range 2 {
		l, err := New(Options{Conn: bus.Connect(fmt.Sprint(i)), Cluster: "c", Name: fmt.Sprint(i), Random: bytes.NewReader(append([]byte{byte(i)}, make([]byte, 15)...))})
		if err != nil {
			b.Fatal(err)
		}
		l.newRemote = func(n actors.Node) remote {
			if i == 0 {
				nodes <- n
			}
			return arrivals{arrived: arrived}
		}
		if err := l.Start(actors.RouterRef{}); err != nil {
			b.Fatal(err)
		}
		all = append(all, l)
	}
	to := <-nodes
	p := &actors.Parcel{Kind: actors.BroadcastParcel, Service: "active.calls", Instance: "0123456789abcdef0123456789abcdef", Class: "active_calls", Text: bytes.Repeat([]byte("x"), size)}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for range min(window, b.N) {
		to.Send(p)
	}
	for i := range b.N {
		<-arrived
		if i+window < b.N && !to.Send(p) {
			b.Fatal("a parcel was refused")
		}
	}
	b.StopTimer()
	for _, l := range all {
		l.Stop(b.Context())
	}
}

// arrivals tell of each parcel.
type arrivals struct {
	indifferent
	arrived chan struct{}
}

func (a arrivals) Receive(*actors.Parcel) error {
	a.arrived <- struct{}{}
	return nil
}
