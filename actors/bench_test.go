package actors

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

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

// BenchmarkMailboxHop is one message to an actor that waits for it, and the way back.
func BenchmarkMailboxHop(b *testing.B) {
	d := newDeps(b)
	done := make(chan struct{})
	message := new(sweep)
	pid := d.spawn(Props(d, "hop", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*sweep); ok {
				done <- struct{}{}
			}
		})
	}), "hop")
	b.ReportAllocs()
	for b.Loop() {
		d.send(pid, message)
		<-done
	}
	d.System.Root.Stop(pid)
	ended(b, d, pid)
}

// BenchmarkMailboxStream is one message of many that a busy actor handles.
func BenchmarkMailboxStream(b *testing.B) {
	d := newDeps(b)
	message, count := new(sweep), 0
	pid := d.spawn(Props(d, "stream", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*sweep); ok {
				count++
			}
		})
	}), "stream")
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		d.send(pid, message)
		if sent++; sent%burst == 0 {
			settle(b, d, pid)
		}
	}
	settle(b, d, pid)
	if count != sent {
		b.Fatalf("%d of %d messages came", count, sent)
	}
	d.System.Root.Stop(pid)
	ended(b, d, pid)
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
	p, a := newTable(100), &Peer{ID: "a"}
	keys := make([]envelope.Key, 1000)
	for i := range keys {
		keys[i] = envelope.Key(fmt.Sprint(i))
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
