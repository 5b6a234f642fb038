package system

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
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

// What is let go of after the collection is given back too, though nothing is allocated meanwhile.
func TestTrimAgain(t *testing.T) {
	const burst = 64 << 20
	var trim trimmer
	run := func(times int) {
		t.Helper()
		for range times {
			if err := trim.run(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept := make([][]byte, burst/(64<<10))
	for i := range kept {
		kept[i] = make([]byte, 64<<10)
	}
	run(2)
	full := held()
	if trim.left < burst {
		t.Fatalf("%d bytes are left, want %d at least", trim.left, burst)
	}
	runtime.KeepAlive(kept)
	clear(kept)
	run(firstPause)
	if got := held(); got > full-burst/2 {
		t.Errorf("%d bytes are held after they were let go of, %d before", got, full)
	}
	// What stays in use is looked at more and more rarely.
	for i := range kept {
		kept[i] = make([]byte, 64<<10)
	}
	run(2)
	for pause := firstPause; pause < longestPause; pause *= 2 {
		if trim.pause != pause {
			t.Fatalf("it waits for %d looks, want %d", trim.pause, pause)
		}
		run(pause)
	}
	run(longestPause)
	if trim.pause != longestPause {
		t.Errorf("it waits for %d looks, want %d", trim.pause, longestPause)
	}
	runtime.KeepAlive(kept)
}

// When a burst is over, the goroutines that it has left end.
func TestIdleGoroutinesEnd(t *testing.T) {
	cfg := testConfig(t)
	cfg.Memory.TrimInterval = time.Second
	s := start(t, cfg)
	var running, done sync.WaitGroup
	const burst = 50
	running.Add(burst)
	done.Add(burst)
	release := make(chan struct{})
	for range burst {
		s.deps.Go(func() { running.Done(); <-release; done.Done() })
	}
	running.Wait()
	close(release)
	done.Wait()
	eventually(t, "they are kept", func() bool { return s.deps.Idle() >= burst/2 })
	eventually(t, "they end", func() bool { return s.deps.Idle() <= 10 })
	join(t, s, user("", nil))
}
