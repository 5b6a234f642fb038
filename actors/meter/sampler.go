package meter

import (
	"sync/atomic"
	"time"
)

// Sampler measures one thing at a time, so that its cost does not grow with the load. Its methods may be called
// from any goroutine.
type Sampler struct {
	Histogram Histogram
	now       func() time.Time
	finish    func() // end, as a value that is made once
	busy      atomic.Bool
	began     time.Time // belongs to whoever has set busy
}

// NewSampler returns a Sampler that goes by now.
func NewSampler(now func() time.Time) *Sampler {
	s := &Sampler{now: now}
	s.finish = s.end
	return s
}

// Begin begins a measurement and returns true, unless one is under way. The caller then calls Finish or Drop once.
func (s *Sampler) Begin() bool {
	if s.busy.Load() || !s.busy.CompareAndSwap(false, true) {
		return false
	}
	s.began = s.now()
	return true
}

// Finish returns what ends the measurement that is under way. It is to be called once.
func (s *Sampler) Finish() func() { return s.finish }

// Drop gives the measurement up that is under way.
func (s *Sampler) Drop() { s.busy.Store(false) }

func (s *Sampler) end() {
	d := s.now().Sub(s.began)
	s.busy.Store(false)
	s.Histogram.Observe(d)
}
