package system

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// heapFloor keeps a small heap from being collected all the time: the runtime collects whenever the
// heap has doubled, at 4 MiB for the first time, and a router that holds little and passes on much would
// spend up to a fifth of its time on that. With the floor the heap may grow to so many bytes first; above it
// everything is as ever. It is for the whole process, and leaves it alone if GOGC or
// debug.SetGCPercent has set anything but the usual.
type heapFloor struct {
	bytes uint64

	mu      sync.Mutex // Protects following.
	percent int
	off     bool
}

const (
	usualPercent = 100     // the runtime's own
	firstGoal    = 4 << 20 // bytes at which the runtime collects for the first time, at the usual percent
)

// startHeapFloor returns nil if there is nothing to do.
func startHeapFloor(bytes uint64) *heapFloor {
	f := &heapFloor{bytes: bytes}
	f.percent = f.percentFor(0, 0)
	if f.percent == usualPercent {
		return nil
	}
	if was := debug.SetGCPercent(f.percent); was != usualPercent {
		debug.SetGCPercent(was)
		return nil
	}
	f.watch()
	return f
}

// stop has the runtime do as it likes.
func (f *heapFloor) stop() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.off {
		f.off = true
		debug.SetGCPercent(usualPercent)
	}
}

// watch adapts the percentage after every collection: it is a share of what that one has left.
func (f *heapFloor) watch() {
	runtime.AddCleanup(new(collected), func(f *heapFloor) {
		if f.adapt() {
			f.watch()
		}
	}, f)
}

// collected is garbage from the start, so that its cleanup runs behind each collection. It is not so
// small that it would share a block of memory with something that stays.
type collected struct{ _ [2]*collected }

// adapt is false behind stop.
func (f *heapFloor) adapt() bool {
	// What the last collection has left of the heap, and what is not heap and counts all the same.
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(sample)
	percent := f.percentFor(sample[0].Value.Uint64(), sample[1].Value.Uint64()+sample[2].Value.Uint64())
	f.mu.Lock()
	defer f.mu.Unlock()
	// To set it stops the world, for a moment.
	if !f.off && percent != f.percent {
		f.percent = percent
		debug.SetGCPercent(percent)
	}
	return !f.off
}

// percentFor returns how much the heap may grow by until the next collection, in percent of what is
// live and of the roots, and roughly, lest it be set anew each time.
func (f *heapFloor) percentFor(live, roots uint64) int {
	if live >= f.bytes/2 {
		return usualPercent
	}
	percent := 100 * (f.bytes - live) / max(live+roots, firstGoal)
	return max(int(percent)/50*50, usualPercent)
}
