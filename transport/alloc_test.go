package transport

import (
	"os"
	"sync/atomic"
	"testing"

	"strowger/actors"
	"strowger/actors/clock"
	"strowger/actors/runtime"
)

// TestMembersCostNoAllocation: what a fan-out does for each member, from the shard's mailbox to the
// write, takes no memory, for one frame and for several that are joined.
func TestMembersCostNoAllocation(t *testing.T) {
	const members = 1000
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var limits atomic.Pointer[Limits]
	limits.Store(&Limits{OutboundMessages: 1, OutboundBytes: 1})
	writes := 0
	sh := newShard(0, &Egress{}, &actors.Deps{Runtime: &runtime.Runtime{Clock: clock.Wall{}}, Counters: new(actors.Counters)}, &limits)
	sh.writer.call = func(fd int, p []byte) (int, error) {
		writes++
		return writeNow(fd, p)
	}
	g := &group{shards: []*shard{sh}, members: make([][]*socket, 1)}
	for range members {
		s := &socket{shard: sh, conn: silentConn{}, fd: int(file.Fd()), admitted: true}
		g.members[0] = append(g.members[0], s)
	}
	message := order{group: g, message: framed("event")}
	for _, batch := range [][]order{{message}, {message, message, message}} {
		sh.run(batch) // what is kept for the next time is made now
		writes = 0
		const runs = 20
		if n := testing.AllocsPerRun(runs, func() { sh.run(batch) }); n != 0 {
			t.Errorf("%v allocations for %d messages to %d members, want none", n, len(batch), members)
		}
		if want := (runs + 1) * members; writes != want {
			t.Errorf("%d writes for %d messages, want %d", writes, len(batch), want)
		}
	}
}
