package meter

import (
	"math"
	"sync/atomic"
	"time"
)

// The buckets of a Histogram are those of Prometheus's native histograms with schema Schema: bucket k has
// the durations of more than 2^((k-1)/4) and at most 2^(k/4) seconds. Shorter ones than First covers are in
// the zero bucket, longer ones in bucket Last.
const (
	Schema = 2
	First  = -79 // the first bucket, which begins at Zero
	Last   = 36  // ends at 512 s
)

const buckets = Last - First + 1

// Zero is the longest duration of the zero bucket in seconds, about a microsecond.
const Zero = 1.0 / (1 << 20)

// Histogram counts durations. Its methods may be called from any goroutine, and the zero value is ready.
type Histogram struct {
	zero   atomic.Uint64
	counts [buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// Observe counts d. It takes a negative duration for 0.
func (h *Histogram) Observe(d time.Duration) {
	if d <= 0 {
		h.zero.Add(1)
		return
	}
	h.sum.Add(int64(d))
	k := bucket(d)
	if k < First {
		h.zero.Add(1)
		return
	}
	h.counts[min(k, Last)-First].Add(1)
}

// add counts what another one has counted.
func (h *Histogram) add(other *Histogram) {
	h.zero.Add(other.zero.Load())
	h.sum.Add(other.sum.Load())
	for i := range h.counts {
		h.counts[i].Add(other.counts[i].Load())
	}
}

// bucket returns the number of the bucket that d, which is positive, belongs to.
func bucket(d time.Duration) int {
	fraction, exponent := math.Frexp(d.Seconds())
	k := (exponent - 1) * 4
	for _, bound := range [...]float64{0.5, 0.5946035575013605, 0.7071067811865475, 0.8408964152537144} {
		if fraction > bound {
			k++
		}
	}
	return k
}

// Reading is what a Histogram has counted since the start.
type Reading struct {
	Sum     float64         // seconds
	Zero    uint64          // of the zero bucket
	Buckets [buckets]uint64 // from First on
}

// Read returns what h has counted. What is counted meanwhile may be missing in part.
func (h *Histogram) Read() *Reading {
	r := &Reading{Zero: h.zero.Load(), Sum: time.Duration(h.sum.Load()).Seconds()}
	for i := range h.counts {
		r.Buckets[i] = h.counts[i].Load()
	}
	return r
}

// Count returns how many durations were counted.
func (r *Reading) Count() uint64 {
	n := r.Zero
	for _, c := range r.Buckets {
		n += c
	}
	return n
}

// Within returns how many durations were at most 2^octave seconds.
func (r *Reading) Within(octave int) uint64 {
	n := r.Zero
	for k := First; k <= min(octave*4, Last); k++ {
		n += r.Buckets[k-First]
	}
	return n
}
