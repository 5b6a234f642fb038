package succession

import (
	"math"
	"testing"
	"time"
)

// line is a straight line through samples.
type line struct {
	slope   float64 // an hour
	bound   float64 // that the slope is off by at most this, with a confidence of 95%
	samples int
}

// fit returns the line through the samples of one need by least squares. Each process has a level of its own, and all have
// one slope. The first samples of each process, as many as settling says, are left out.
func fit(taken []sample, need, settling int) line {
	type sums struct{ n, x, y float64 }
	eras := make(map[int]*sums)
	seen := make(map[int]int)
	var kept []sample
	for _, s := range taken {
		if seen[s.era]++; seen[s.era] <= settling {
			continue
		}
		kept = append(kept, s)
		e := eras[s.era]
		if e == nil {
			e = new(sums)
			eras[s.era] = e
		}
		e.n, e.x, e.y = e.n+1, e.x+s.at.Hours(), e.y+s.needs[need]
	}
	l := line{samples: len(kept), bound: math.Inf(1)}
	var xx, xy, yy float64
	for _, s := range kept {
		e := eras[s.era]
		dx, dy := s.at.Hours()-e.x/e.n, s.needs[need]-e.y/e.n
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	free := float64(len(kept) - len(eras) - 1)
	if xx == 0 || free < 1 {
		return l
	}
	l.slope = xy / xx
	l.bound = quantile(free) * math.Sqrt(max(yy-l.slope*xy, 0)/free/xx)
	return l
}

// quantile returns the 97.5% quantile of Student's t distribution, a little more than it is. The approximation is that of Fisher and
// Cornish with its first two terms; for fewer than 3 degrees of freedom it is the value of one.
func quantile(free float64) float64 {
	const z = 1.959964
	if free < 3 {
		return 12.706
	}
	return 1.04 * (z + (z*z*z+z)/(4*free) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*free*free))
}

func TestFit(t *testing.T) {
	// Two processes with different levels, 2 an hour each, and an error of 0.1 up and down.
	var taken []sample
	for i := range 40 {
		s := sample{at: time.Duration(i) * time.Hour, era: i / 20}
		s.needs[1] = 2*float64(i) + 0.1*float64(1-i%2*2)
		if s.era == 1 {
			s.needs[1] -= 500
		}
		if i%20 < 3 {
			s.needs[1] += 1000 // it settles
		}
		taken = append(taken, s)
	}
	l := fit(taken, 1, 3)
	if math.Abs(l.slope-2) > l.bound || l.bound > 0.02 || l.bound <= 0 || l.samples != 34 {
		t.Errorf("got %+v, want a slope of 2", l)
	}
	if l := fit(taken[:5], 1, 3); !math.IsInf(l.bound, 1) {
		t.Errorf("two samples tell nothing, but got %+v", l)
	}
	for free, want := range map[float64]float64{3: 3.182, 10: 2.228, 30: 2.042, 1000: 1.962} {
		if got := quantile(free); got < want || got > 1.08*want {
			t.Errorf("quantile of %v degrees of freedom: %v, want %v or a little more", free, got, want)
		}
	}
}
