package system

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestHeapFloorPercent(t *testing.T) {
	f := &heapFloor{bytes: 32 << 20}
	for _, c := range []struct {
		live, roots uint64
		want        int
	}{
		{0, 0, 800}, {2 << 20, 0, 750}, {4 << 20, 0, 700}, {8 << 20, 0, 300}, {15 << 20, 0, 100}, {16 << 20, 0, 100}, {1 << 30, 0, 100},
		{2 << 20, 1 << 20, 750}, {4 << 20, 4 << 20, 350},
	} {
		if got := f.percentFor(c.live, c.roots); got != c.want {
			t.Errorf("%d bytes live and %d of roots: %d%%, want %d%%", c.live, c.roots, got, c.want)
		}
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// nextCollection is the size of the heap at which the runtime collects.
func nextCollection() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NextGC
}

func TestHeapFloor(t *testing.T) {
	// High above what other tests have left in the heap.
	runtime.GC()
	floor := 512<<20 + 8*heapInUse()
	usual := debug.SetGCPercent(usualPercent)
	defer debug.SetGCPercent(usual)
	f := startHeapFloor(floor)
	if f == nil {
		t.Fatal("there is no floor")
	}
	defer f.stop()
	for range 3 {
		// One collection may not be enough: what is made during it is not noticed by it.
		eventually(t, "the next collection comes at the floor", func() bool {
			runtime.GC()
			next := nextCollection()
			return next > floor/4*3 && next < floor/4*5
		})
	}
	f.stop()
	if percent := debug.SetGCPercent(usualPercent); percent != usualPercent {
		t.Errorf("GOGC is %d behind the stop, want %d", percent, usualPercent)
	}
}

// TestHeapFloorGivesWay: what the operator has set stays.
func TestHeapFloorGivesWay(t *testing.T) {
	usual := debug.SetGCPercent(usualPercent)
	defer debug.SetGCPercent(usual)
	if startHeapFloor(firstGoal) != nil {
		t.Error("there is a floor where the runtime begins anyway")
	}
	debug.SetGCPercent(50)
	if startHeapFloor(32<<20) != nil {
		t.Error("there is a floor beside GOGC=50")
	}
	if percent := debug.SetGCPercent(usualPercent); percent != 50 {
		t.Errorf("GOGC is %d, want 50", percent)
	}
}
