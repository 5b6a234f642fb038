package client

import (
	"testing"
)

// BenchmarkRequest is a round trip over loopback to a router that answers each
// request, decoding included.
func BenchmarkRequest(b *testing.B) {
	r := newFakeRouter(b)
	c, p := r.online(Options{PingInterval: -1})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for range b.N {
			p.Reply(p.Next(), 200, nil)
		}
	}()
	payload := map[string]string{"extension": "1001"}
	b.ReportAllocs()
	b.ResetTimer()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Request(b.Context(), "directory", "lookup", payload); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	<-answered
}
