package system

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
)

// allocatedBytes names what the heap has ever given out.
const allocatedBytes = "/gc/heap/allocs:bytes"

const (
	quietBytes = 1 << 20  // what may be allocated between two looks for the time to be quiet
	worthBytes = 16 << 20 // what must have been allocated since the last time to be worth a collection
)

// trimmer gives memory back to the machine when a burst is over. The runtime collects only when
// something is allocated, so a daemon that has just taken in ten thousand connections and then waits
// would hold on to what their handshakes have left.
type trimmer struct {
	seen    uint64 // bytes allocated when it looked last
	trimmed uint64 // and when it collected last
}

// run collects if little was allocated since it looked last and much since it collected last. It
// takes as long as a collection.
func (t *trimmer) run(context.Context) error {
	sample := []metrics.Sample{{Name: allocatedBytes}}
	metrics.Read(sample)
	now := sample[0].Value.Uint64()
	quiet := now-t.seen < quietBytes
	t.seen = now
	if quiet && now-t.trimmed >= worthBytes {
		t.trimmed = now
		debug.FreeOSMemory()
	}
	return nil
}
