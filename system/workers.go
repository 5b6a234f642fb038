package system

import (
	"sync"
	"time"
)

// claimers is how many token files are read at once.
const claimers = 8

// workers runs blocking work on a bounded number of goroutines, which live only while there is
// work. The queue is as long as there are connections that authenticate.
type workers struct {
	max     int
	running sync.WaitGroup

	mu    sync.Mutex // Protects following.
	queue []func()
	busy  int
}

func newWorkers(n int) *workers { return &workers{max: n} }

// Go runs f soon, on another goroutine.
func (w *workers) Go(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, f)
	if w.busy == w.max {
		return
	}
	w.busy++
	w.running.Add(1)
	go w.run()
}

func (w *workers) run() {
	defer w.running.Done()
	for f := w.take(); f != nil; f = w.take() {
		f()
	}
}

func (w *workers) take() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.busy--
		return nil
	}
	f := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return f
}

// wait returns when all work is done; nothing may be given to Go any more.
func (w *workers) wait() { w.running.Wait() }

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
