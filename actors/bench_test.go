package actors

import (
	"fmt"
	"testing"

	"strowger/actors/envelope"
)

func BenchmarkRegistryLookup(b *testing.B) {
	r := new(Registry)
	for i := range 1000 {
		r.publish(&Route{Name: fmt.Sprint("service-", i)})
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r.Lookup("service-500") == nil {
				b.Error("no route")
				return
			}
		}
	})
}

// BenchmarkRequestReply is a request from bytes to the service's socket and its reply back to the
// client's.
func BenchmarkRequestReply(b *testing.B) {
	w := newWorld(b)
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	request := []byte(`{"request_id":"2","service":"s","topic":"in.progress","payload":{}}`)
	reply := fmt.Appendf(nil, `{"service_name":"s","status_string":"ok","status_code":200,"request_id":"2","resource_id":%q,"payload":{"a":1}}`, id)
	b.ReportAllocs()
	for b.Loop() {
		w.deps.send(p.pid, &Received{Data: request})
		<-s.socket.written
		w.deps.send(s.pid, &Received{Data: reply})
		<-p.socket.written
	}
}

func BenchmarkPendingAddSettle(b *testing.B) {
	p, a := newTable(100), &Peer{Identity: Identity{ID: "a"}}
	keys := make([]envelope.Key, 1000)
	for i := range keys {
		keys[i] = keyed(i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		key := keys[i%len(keys)]
		i++
		if p.add(a, key, epoch) == nil {
			b.Fatal("no room")
		}
		p.settle(p.askers["a"].requests[key])
	}
}
