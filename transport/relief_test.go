package transport

import (
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"strowger/actors"
	"strowger/transport/frame"
)

// TestRoomIsAskedForOnce: as long as the shards have not made room, further bytes do not ask them again.
func TestRoomIsAskedForOnce(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.OutboundTotal = 1 })
	for range 2 {
		unblock := r.block()
		for range 1000 {
			r.queueOutside(2)
		}
		for _, sh := range r.shards {
			if n := sh.inbox.Waiting(); n != 1 {
				t.Errorf("%d messages wait for shard %d, want 1", n, sh.index)
			}
		}
		unblock()
		r.settle()
		r.queueOutside(-2000)
	}
}

// TestClientsStayForWhatAServiceHolds: what waits for services alone is no reason to cut off clients that have little.
func TestClientsStayForWhatAServiceHolds(t *testing.T) {
	r := newRig(t, nil)
	sh := r.shards[0]
	service, client := r.linkTo(t, sh), r.linkTo(t, sh)
	service.Admit(actors.Service, framed("service"))
	service.expect(t, "service")
	r.nothingWaits()
	long, little := strings.Repeat("x", 64<<20), strings.Repeat("y", 8<<20)
	changed := *r.limits.Load()
	changed.OutboundTotal = int64(len(long)) / 2
	if parts := int64(r.Shards()); enough(changed.OutboundTotal)/parts < int64(len(framed(little).Form)) {
		changed.OutboundTotal = 2 * parts * int64(len(framed(little).Form))
	}
	changed.OutboundBytes = 1 << 30
	r.limits.Store(&changed)
	service.Send(framed(long))
	client.Send(framed(little))
	r.settle()
	if !r.full() {
		t.Fatal("what waits is below the limit")
	}
	if service.isCut() || client.isCut() {
		t.Errorf("cut off: the service %t, the client %t, want neither", service.isCut(), client.isCut())
	}
	service.expect(t, long)
	client.expect(t, little)
	r.nothingWaits()
}

// TestFramesOfABatchAreForgotten: what a batch or a crash leaves is not taken for a frame of the next batch, and a large batch
// does not cost memory for ever.
func TestFramesOfABatchAreForgotten(t *testing.T) {
	for frames, keeps := range map[int]bool{1: true, keptCopies: true, keptCopies + 1: false} {
		for name, end := range map[string]func(*shard){"flush": (*shard).reset, "crash": (*shard).Crashed} {
			sh := &shard{nodes: make([]node, 1), copies: make(map[*byte]*copies)}
			before := reflect.ValueOf(sh.copies).Pointer()
			for range frames {
				sh.copies[new(byte)] = new(copies)
			}
			end(sh)
			if kept := reflect.ValueOf(sh.copies).Pointer() == before; kept != keeps || len(sh.copies) != 0 {
				t.Errorf("%s after %d frames: %d are left, and the map is kept: %t, want %t", name, frames, len(sh.copies), kept, keeps)
			}
		}
	}
}

// TestHaltedWritesAreCounted: what was written before a shard was frozen counts as written.
func TestHaltedWritesAreCounted(t *testing.T) {
	r := newRig(t, nil)
	l := r.link(4 << 10)
	l.expect(t, "admitted")
	long := framed(strings.Repeat("x", 16<<20))
	l.Send(long)
	r.settle()
	const first = 4 << 20
	if _, err := io.CopyN(io.Discard, l.far.br, first); err != nil {
		t.Fatal(err)
	}
	var still sync.WaitGroup
	still.Add(r.Shards())
	r.freeze(func(*shard) { still.Done() })
	still.Wait()
	for _, sh := range r.shards {
		sh.post(&thaw{done: func() {}})
	}
	if _, err := io.CopyN(io.Discard, l.far.br, int64(len(long.Form))-first); err != nil {
		t.Fatal(err)
	}
	want := int64(len(frame.Append(nil, frame.OpText, []byte("admitted"))) + len(long.Form))
	r.nothingWaits()
	if !l.look(func() bool { return l.out == want && l.draining.Load() == 0 }) {
		t.Errorf("%d bytes count as written, want %d", l.out, want)
	}
	if got := r.Traffic().BytesOut; got != want {
		t.Errorf("the traffic has %d bytes, want %d", got, want)
	}
}
