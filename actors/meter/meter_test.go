package meter

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Our buckets are those of Prometheus's own native histograms.
func TestBucketsAreThoseOfPrometheus(t *testing.T) {
	for _, d := range []time.Duration{1, 900, 954, 1000, 1024, 15625, 61035, 250 * time.Microsecond, 976562, 976563, time.Millisecond,
		3906250, 59460355, 70710678, 84089641, time.Second / 2, time.Second, time.Second + 1, 1189207115, 2 * time.Second, time.Minute, 512 * time.Second} {
		theirs := prometheus.NewHistogram(prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.19, NativeHistogramZeroThreshold: Zero})
		theirs.Observe(d.Seconds())
		var m dto.Metric
		if err := theirs.Write(&m); err != nil {
			t.Fatal(err)
		}
		if m.Histogram.GetSchema() != Schema {
			t.Fatalf("schema %d, want %d", m.Histogram.GetSchema(), Schema)
		}
		var ours Histogram
		ours.Observe(d)
		r := ours.Read()
		if theirs := m.Histogram.GetZeroCount(); theirs != r.Zero {
			t.Errorf("%v: %d in the zero bucket, want %d", d, r.Zero, theirs)
		}
		if spans := m.Histogram.GetPositiveSpan(); len(spans) > 0 {
			if k := int(spans[0].GetOffset()); r.Buckets[k-First] != 1 {
				t.Errorf("%v: not in bucket %d: %v", d, k, r.Buckets)
			}
		}
	}
}

func TestHistogramCounts(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{-1, 0, time.Nanosecond, time.Millisecond, time.Second, 2 * time.Second, time.Hour} {
		h.Observe(d)
	}
	r := h.Read()
	if r.Count() != 7 || r.Zero != 3 || r.Buckets[Last-First] != 1 || r.Buckets[0-First] != 1 {
		t.Errorf("count %d, zero %d, buckets %v", r.Count(), r.Zero, r.Buckets)
	}
	if want := 3603.001000001; math.Abs(r.Sum-want) > 1e-9 {
		t.Errorf("sum %v, want %v", r.Sum, want)
	}
	for octave, want := range map[int]uint64{-20: 3, -10: 3, -9: 4, -1: 4, 0: 5, 1: 6, 9: 7, 12: 7} {
		if got := r.Within(octave); got != want {
			t.Errorf("%d within 2^%d s, want %d", got, octave, want)
		}
	}
}

func TestHistogramFromManyGoroutines(t *testing.T) {
	var h Histogram
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				h.Observe(time.Duration(i) * time.Microsecond)
			}
		})
	}
	all.Wait()
	if n := h.Read().Count(); n != 8000 {
		t.Errorf("%d counted, want 8000", n)
	}
}

func TestServicesAreBounded(t *testing.T) {
	var s Services
	for i := range 5 {
		s.Of(fmt.Sprint("s", i), 3).Observe(Answered, time.Second)
	}
	s.Of(Other, 10).Observe(Answered, time.Second)
	if s.Of("s1", 0) == s.Other() {
		t.Error("a name that is known has lost its place")
	}
	var names []string
	for _, service := range s.All() {
		names = append(names, service.Name())
	}
	if want := []string{"s0", "s1", "s2", Other}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if n := s.Other().Read(Answered).Count(); n != 3 {
		t.Errorf("%d of other names, want 3", n)
	}
	if s.Other().Read(Timeout) != nil {
		t.Error("an outcome that did not occur is there")
	}
}

// A name that was dropped gives its place to another one, and what was measured of it counts as Other.
func TestDropLosesNothing(t *testing.T) {
	var s Services
	for range 3 {
		s.Of("a", 1).Observe(Answered, time.Second)
	}
	s.Of("a", 1).Broadcast()
	s.Of("b", 1).Observe(Answered, 0)
	s.Drop("a")
	s.Drop("nobody")
	if got := s.Other().Read(Answered); got.Count() != 4 || got.Sum != 3 || got.Zero != 1 || s.Other().Broadcasts() != 1 {
		t.Errorf("other: %d in %v s, %d of them short, %d broadcasts", got.Count(), got.Sum, got.Zero, s.Other().Broadcasts())
	}
	if s.Of("b", 1) == s.Other() {
		t.Error("the place is still taken")
	}
}

func TestOutcomes(t *testing.T) {
	seen := map[string]bool{}
	for o := range Outcomes {
		if o.String() == "" || seen[o.String()] {
			t.Errorf("outcome %d is %q", o, o)
		}
		seen[o.String()] = true
	}
	for code, want := range map[string]Outcome{"": Answered, "200": Answered, "302": Answered, "404": ClientError, "500": ServerError,
		"503": ServerError, "504": Timeout, `"x"`: Answered, "99999": Answered} {
		if got := OutcomeOf([]byte(code)); got != want {
			t.Errorf("%q is %v, want %v", code, got, want)
		}
	}
}

func TestSamplerMeasuresOneAtATime(t *testing.T) {
	now := time.Unix(0, 0)
	s := NewSampler(func() time.Time { return now })
	if !s.Begin() || s.Begin() {
		t.Fatal("not one at a time")
	}
	now = now.Add(time.Second)
	s.Finish()()
	if !s.Begin() {
		t.Fatal("no second one")
	}
	s.Drop()
	if !s.Begin() {
		t.Fatal("no third one")
	}
	if r := s.Histogram.Read(); r.Count() != 1 || r.Sum != 1 {
		t.Errorf("count %d, sum %v", r.Count(), r.Sum)
	}
}

func BenchmarkObserve(b *testing.B) {
	var s Service
	for i := 0; b.Loop(); i++ {
		s.Observe(Answered, time.Duration(i&0xfffff))
	}
}
