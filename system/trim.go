package system

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
)

// allocatedBytes names what the heap has ever given out, objectBytes what is in use or not yet found to be free.
const (
	allocatedBytes = "/gc/heap/allocs:bytes"
	objectBytes    = "/memory/classes/heap/objects:bytes"
)

const (
	quietBytes = 1 << 20  // what may be allocated between two looks for the time to be quiet
	worthBytes = 16 << 20 // what must have been allocated since the last time, or left by it, to be worth a collection

	// How many looks the trimmer waits before it collects again what the last collection has left.
	firstPause   = 4
	longestPause = 256
)

// trimmer gives memory back to the machine when a burst is over. The runtime collects only when
// something is allocated, so a daemon that has just taken in ten thousand connections and then waits
// would hold on to what their handshakes have left. What a collection finds in use may be let go of later, when again nothing
// is allocated, so the trimmer collects again, and more and more rarely if that gives nothing back.
type trimmer struct {
	idle    func() // ends goroutines that are not needed; nil: there are none
	seen    uint64 // bytes allocated when it looked last
	trimmed uint64 // and when it collected last
	left    uint64 // bytes in use after that
	looks   int    // since then
	pause   int    // looks until it collects again, if much was left
}

// run collects if little was allocated since it looked last, and much since it collected last or much was left then. It
// takes as long as a collection.
func (t *trimmer) run(context.Context) error {
	if t.idle != nil {
		t.idle()
	}
	sample := []metrics.Sample{{Name: allocatedBytes}}
	metrics.Read(sample)
	now := sample[0].Value.Uint64()
	quiet := now-t.seen < quietBytes
	t.seen = now
	t.looks++
	switch {
	case !quiet:
	case now-t.trimmed >= worthBytes:
		t.collect(now)
		t.pause = firstPause
	case t.left >= worthBytes && t.looks >= t.pause:
		before := t.left
		t.collect(now)
		if t.left+worthBytes <= before {
			t.pause = firstPause
		} else {
			t.pause = min(2*t.pause, longestPause)
		}
	}
	return nil
}

// collect gives back what is not in use. Now is what has been allocated.
func (t *trimmer) collect(now uint64) {
	debug.FreeOSMemory()
	sample := []metrics.Sample{{Name: objectBytes}}
	metrics.Read(sample)
	t.trimmed, t.left, t.looks = now, sample[0].Value.Uint64(), 0
}
