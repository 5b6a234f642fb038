package system

import (
	"context"
	"runtime"
	"testing"
)

// held is what the heap holds of the machine's memory.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

func TestTrim(t *testing.T) {
	const burst = 64 << 20
	var trim trimmer
	run := func() {
		t.Helper()
		if err := trim.run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	run()
	garbage := make([][]byte, burst/(64<<10))
	for i := range garbage {
		garbage[i] = make([]byte, 64<<10)
	}
	full := held()
	runtime.KeepAlive(garbage)
	run() // right behind the burst: more may come
	if got := held(); got < full-burst/2 {
		t.Errorf("%d of %d bytes were given back amid a burst", full-got, full)
	}
	run()
	if got := held(); got > full-burst/2 {
		t.Errorf("%d bytes are held behind the burst, %d in it", got, full)
	}
}
