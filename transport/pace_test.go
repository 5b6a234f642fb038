package transport

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
)

// plainConn is a connection of which the transport does not know that it has a descriptor. All that is written to it
// waits for a goroutine first.
type plainConn struct{ net.Conn }

// linkTo returns a link that a shard owns. All that is sent to it waits at least until its batch is over.
func (r *rig) linkTo(t *testing.T, sh *shard) *link {
	t.Helper()
	for {
		near, far := r.tcpPair(2 << 10)
		l := &link{r.attached(plainConn{near}), newPeer(r.t, far)}
		if l.shard == sh {
			l.expect(t, "admitted")
			return l
		}
	}
}

func (r *rig) nothingWaits() {
	r.t.Helper()
	eventually(r.t, "nothing waits", func() bool { return r.QueuedBytes() == 0 && r.WaitingBytes() == 0 })
}

func (l *link) isCut() bool { return l.look(func() bool { return l.finished }) }

// TestRateOfSlowReaders: a reader that takes limits.outbound_rate stays, and one that takes less is cut off, once
// limits.write_timeout has passed.
func TestRateOfSlowReaders(t *testing.T) {
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), func(l *Limits) { l.OutboundRate, l.WriteTimeout = 1000, time.Minute })
	enough, less, idle := r.linkTo(t, r.shards[0]), r.linkTo(t, r.shards[0]), r.linkTo(t, r.shards[0])
	r.nothingWaits()
	var took, tookLess atomic.Uint64
	for _, sh := range r.shards {
		sh.acked = func(conn net.Conn) (uint64, bool) {
			switch conn {
			case enough.conn:
				return took.Load(), true
			case less.conn:
				return tookLess.Load(), true
			}
			return 0, true
		}
	}
	now := r.ahead()
	long := strings.Repeat("x", 8<<20)
	enough.Send(framed(long))
	less.Send(framed(long))
	r.settle()
	r.tick(now)
	r.tick(now.Add(59 * time.Second))
	if less.isCut() {
		t.Fatal("cut off before the time is over")
	}
	took.Store(60 * 1000)
	tookLess.Store(60*1000 - 1)
	r.tick(now.Add(time.Minute))
	if !less.isCut() || enough.isCut() || idle.isCut() {
		t.Errorf("cut off: one that is too slow %t, one that is not %t, one that waits for nothing %t", less.isCut(), enough.isCut(), idle.isCut())
	}
	if n := r.deps.Refusals().Count(refusals.OutboundRate); n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
	lines.want(t, `level=WARN msg="slow consumer disconnected because it takes too few bytes in a second" cause=outbound_rate remote=127\.0\.0\.1:\d+ role=client setting=limits\.outbound_rate messages=1 bytes=\d+ rate=999 limit=1000\n`)
	enough.expect(t, long)
	r.nothingWaits()
	// It has taken all, so the time begins anew with what comes next.
	enough.Send(framed(long))
	r.settle()
	r.tick(now.Add(119 * time.Second))
	r.tick(now.Add(178 * time.Second))
	if enough.isCut() {
		t.Error("cut off although little time has passed since something waits")
	}
	enough.expect(t, long)
	if paces := enough.look(func() bool { return len(r.shards[0].paces) <= 1 }); !paces {
		t.Error("the pace of one that is gone is kept")
	}
}

// TestTotalOfSlowReaders: as many bytes may wait for all readers as limits.outbound_total_bytes says, and not one more.
func TestTotalOfSlowReaders(t *testing.T) {
	long := framed(strings.Repeat("x", 8<<20))
	for name, c := range map[string]struct {
		limit int64
		cut   bool
	}{"at the limit": {int64(len(long.Form)), false}, "one more": {int64(len(long.Form)) - 1, true}, "no limit": {0, false}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			l := r.linkTo(t, r.shards[0])
			r.nothingWaits()
			changed := *r.limits.Load()
			changed.OutboundTotal = c.limit
			r.limits.Store(&changed)
			l.Send(long)
			r.settle()
			if l.isCut() != c.cut {
				t.Fatalf("cut off: %t, want %t", l.isCut(), c.cut)
			}
			if !c.cut {
				l.expect(t, strings.Repeat("x", 8<<20))
			}
			r.nothingWaits()
		})
	}
}

// TestSlowestGoFirst: whoever would need the longest time gives way, and the others get all.
func TestSlowestGoFirst(t *testing.T) {
	severalShards(t) // the part of a single shard is seven eighths of the bound, and what waits for clients here is less
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), func(l *Limits) { l.OutboundTotal = 22 << 20 })
	sh := r.shards[0]
	slowest, slow, quick := r.linkTo(t, sh), r.linkTo(t, sh), r.linkTo(t, sh)
	service := r.linkTo(t, sh)
	service.Admit(actors.Service, framed("service"))
	service.expect(t, "service")
	r.nothingWaits()
	for _, sh := range r.shards {
		sh.acked = func(conn net.Conn) (uint64, bool) {
			if conn == slow.conn {
				return uint64(sh.now.Load()), true
			}
			return 0, true
		}
	}
	now := r.ahead()
	long := strings.Repeat("x", 6<<20)
	service.Send(framed(long))
	slow.Send(framed(long))
	slowest.Send(framed(long))
	r.settle()
	r.tick(now)
	r.tick(now.Add(10 * time.Second))
	quick.Send(framed(long))
	r.settle()
	if !slowest.isCut() || slow.isCut() || quick.isCut() || service.isCut() {
		t.Errorf("cut off: the slowest %t, a slow one %t, a quick one %t, a service %t; want the first alone", slowest.isCut(), slow.isCut(), quick.isCut(), service.isCut())
	}
	lines.want(t, `level=WARN msg="slowest consumer disconnected because too much waits for all of them" cause=outbound_total remote=127\.0\.0\.1:\d+ role=client setting=limits\.outbound_total_bytes messages=1 bytes=\d+ limit=23068672\n`)
	// Nothing more is added for a slow service once seven eighths wait.
	more := strings.Repeat("y", 2<<20)
	quick.Send(framed(more))
	r.settle()
	refused := 0
	f := framed("request")
	f.Refused = refuser(func() { refused++ })
	service.Send(f)
	r.settle()
	if refused != 1 {
		t.Errorf("%d requests to a slow service refused, want 1", refused)
	}
	for _, l := range []*link{slow, quick, service} {
		l.expect(t, long)
	}
	quick.expect(t, more)
	r.nothingWaits()
}

// TestBroadcastCountsOnce: many slow readers of one message hold it once, so that nobody is cut off for it.
func TestBroadcastCountsOnce(t *testing.T) {
	r := newRig(t, nil)
	group := r.NewGroup()
	var all []*link
	for range 20 {
		l := r.linkTo(t, r.shards[0])
		all = append(all, l)
		if err := group.Add(l.socket); err != nil {
			t.Fatal(err)
		}
	}
	r.nothingWaits()
	long := strings.Repeat("x", 3<<20)
	changed := *r.limits.Load()
	changed.OutboundTotal = int64(len(framed(long).Form))
	r.limits.Store(&changed)
	group.Send(framed(long), nil)
	r.settle()
	for _, l := range all {
		if l.isCut() {
			t.Fatal("a reader is cut off")
		}
		l.expect(t, long)
	}
	r.nothingWaits()
}

// TestRateWithoutAcknowledgements: where the system does not tell what was acknowledged, what was written counts while a
// long message is on its way.
func TestRateWithoutAcknowledgements(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.OutboundRate, l.WriteTimeout = 20_000, time.Minute })
	reads, stuck := r.linkTo(t, r.shards[0]), r.linkTo(t, r.shards[0])
	r.nothingWaits()
	for _, sh := range r.shards {
		sh.acked = func(net.Conn) (uint64, bool) { return 0, false }
	}
	now := r.ahead()
	long := strings.Repeat("x", 16<<20)
	reads.Send(framed(long))
	stuck.Send(framed(long))
	r.settle()
	r.tick(now)
	if _, err := io.CopyN(io.Discard, reads.far.br, 8<<20); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has taken some", func() bool { return reads.draining.Load() >= 7<<20 })
	r.tick(now.Add(time.Minute))
	if reads.isCut() || !stuck.isCut() {
		t.Errorf("cut off: one that reads %t, one that does not %t", reads.isCut(), stuck.isCut())
	}
}
