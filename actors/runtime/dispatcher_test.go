package runtime

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// atOnce has n tasks run at the same time, and returns when as many goroutines are idle as may be.
func (d *dispatcher) atOnce(t *testing.T, n int, idle func(int) bool) {
	t.Helper()
	var running, done sync.WaitGroup
	release := make(chan struct{})
	running.Add(n)
	done.Add(n)
	for range n {
		d.Schedule(func() {
			running.Done()
			<-release
			done.Done()
		})
	}
	running.Wait()
	close(release)
	done.Wait()
	d.awaitIdle(t, idle)
}

func (d *dispatcher) awaitIdle(t *testing.T, holds func(int) bool) {
	t.Helper()
	for late := time.Now().Add(patience); !holds(int(d.idle.Load())); runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d goroutines are idle", d.idle.Load())
		}
	}
}

// After a burst the goroutines that are not needed end, and those that are needed stay.
func TestDispatcherTrims(t *testing.T) {
	d := newDispatcher()
	defer d.stop()
	exactly := func(n int) func(int) bool { return func(idle int) bool { return idle == n } }
	d.atOnce(t, maxIdle, exactly(maxIdle))
	d.trim() // all were needed
	if n := d.idle.Load(); n != maxIdle {
		t.Fatalf("%d goroutines are idle after all were needed", n)
	}
	// Some of these may find no goroutine that waits already, and get one of their own.
	d.atOnce(t, 20, exactly(maxIdle))
	d.trim()
	d.awaitIdle(t, func(idle int) bool { return idle <= 20+spare })
	if n := d.idle.Load(); n <= spare {
		t.Errorf("%d goroutines are idle, although 20 were needed", n)
	}
	for range 3 {
		d.trim()
	}
	d.awaitIdle(t, func(idle int) bool { d.trim(); return idle == spare })
	d.atOnce(t, 2*maxIdle, exactly(maxIdle)) // and they come back
}
