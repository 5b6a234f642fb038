package clocktest

import (
	"slices"
	"testing"
	"time"
)

// record returns a function that notes the name when it is called.
func record(calls *[]string, name string) func() {
	return func() { *calls = append(*calls, name) }
}

func TestAdvance(t *testing.T) {
	tests := map[string]struct {
		set      []time.Duration // timers, named a, b, c and so on
		advances []time.Duration
		want     []string // after each Advance
	}{
		"in the order of time":          {[]time.Duration{3, 1, 2}, []time.Duration{5}, []string{"bca"}},
		"together, in the order of set": {[]time.Duration{2, 2, 1}, []time.Duration{2}, []string{"cab"}},
		"not before it is time":         {[]time.Duration{2, 4}, []time.Duration{1, 1, 1, 1}, []string{"", "a", "a", "ab"}},
		"once":                          {[]time.Duration{1}, []time.Duration{1, 1}, []string{"a", "a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, calls := New(), []string(nil)
			for i, d := range test.set {
				c.AfterFunc(d, record(&calls, string(rune('a'+i))))
			}
			for i, d := range test.advances {
				began := c.Now()
				c.Advance(d)
				if got := concat(calls); got != test.want[i] {
					t.Errorf("after advance %d: called %q, want %q", i, got, test.want[i])
				}
				if got := c.Now().Sub(began); got != d {
					t.Errorf("advance %d moved the clock by %v, want %v", i, got, d)
				}
			}
		})
	}
}

func concat(names []string) (all string) {
	for _, name := range names {
		all += name
	}
	return all
}

// A timer that is set by what an Advance calls counts from the new time.
func TestAdvanceIsOneStep(t *testing.T) {
	c, calls := New(), []string(nil)
	c.AfterFunc(1, func() {
		calls = append(calls, "a")
		c.AfterFunc(1, record(&calls, "b"))
	})
	c.Advance(10)
	if !slices.Equal(calls, []string{"a"}) {
		t.Errorf("called %q, want a alone", calls)
	}
	c.AwaitTimer(t, 1)
	c.Advance(1)
	if !slices.Equal(calls, []string{"a", "b"}) {
		t.Errorf("called %q, want a and b", calls)
	}
}

func TestStop(t *testing.T) {
	c, calls := New(), []string(nil)
	stop := c.AfterFunc(1, record(&calls, "a"))
	again := c.AfterFunc(1, record(&calls, "b"))
	if !stop() || stop() {
		t.Error("the first stop is in time and the second is not, got something else")
	}
	c.Advance(1)
	if again() {
		t.Error("a stop after the call was in time")
	}
	if !slices.Equal(calls, []string{"b"}) || c.Timers() != 0 {
		t.Errorf("called %q with %d timers left, want b and 0", calls, c.Timers())
	}
}

func TestNoTime(t *testing.T) {
	for _, d := range []time.Duration{0, -1} {
		c, called := New(), make(chan struct{})
		stop := c.AfterFunc(d, func() { close(called) })
		<-called
		if stop() || c.Timers() != 0 {
			t.Errorf("%v: a timer is left", d)
		}
	}
}

// Set makes a timer late. The next Advance calls it.
func TestSet(t *testing.T) {
	c, calls := New(), []string(nil)
	c.AfterFunc(1, record(&calls, "a"))
	c.Set(c.Now().Add(time.Hour))
	if len(calls) > 0 {
		t.Error("Set calls a timer")
	}
	c.Advance(0)
	if !slices.Equal(calls, []string{"a"}) {
		t.Errorf("called %q, want a", calls)
	}
}

// The waits end at the goroutine that sets or stops a timer.
func TestAwait(t *testing.T) {
	c, begin, set := New(), make(chan struct{}), make(chan func() bool)
	go func() {
		<-begin
		c.AfterFunc(2, func() {})
		set <- c.AfterFunc(1, func() {})
	}()
	if due, _ := c.Due(1); due {
		t.Error("a timer is due before one is set")
	}
	close(begin)
	c.AwaitTimer(t, 1)
	c.AwaitTimers(t, 2)
	stop := <-set
	go stop()
	c.AwaitTimers(t, 1)
}
