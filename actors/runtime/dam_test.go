package runtime

import (
	"slices"
	"sync"
	"testing"
)

func always(int) bool { return true }

func TestDam(t *testing.T) {
	var d Dam[int]
	var early, held, passed []int
	into := func(list *[]int) func(int) { return func(v int) { *list = append(*list, v) } }
	for n := range 5 {
		if !d.Put(n, always) {
			t.Errorf("%d is not taken", n)
		}
	}
	if d.Put(9, func(int) bool { return false }) {
		t.Error("a value without room is taken")
	}
	d.Drain(func(v int) bool { return v < 2 }, into(&early))
	d.Open(into(&held), into(&passed))
	d.Open(into(&early), into(&early))
	d.Put(5, func(int) bool { return false })
	if !slices.Equal(early, []int{0, 1}) || !slices.Equal(held, []int{2, 3, 4}) || !slices.Equal(passed, []int{5}) {
		t.Errorf("early %v, held %v, passed %v", early, held, passed)
	}
	if left := d.Break(); len(left) != 0 || d.Put(6, always) {
		t.Errorf("a broken dam has %v, or takes a value", left)
	}
}

func TestDamBreaks(t *testing.T) {
	var d Dam[int]
	d.Put(1, always)
	d.Put(2, always)
	if left := d.Break(); !slices.Equal(left, []int{1, 2}) {
		t.Errorf("it held %v", left)
	}
	d.Open(func(int) { t.Error("a broken dam held something") }, func(int) { t.Error("a broken dam passes something on") })
	if d.Put(3, always) {
		t.Error("a broken dam takes a value")
	}
}

// A dam that is opened while values come passes on each once, those of one goroutine in order.
func TestDamOpensUnderWay(t *testing.T) {
	const putters, each = 4, 1000
	var d Dam[[2]int]
	var got [putters][]int
	take := func(v [2]int) { got[v[0]] = append(got[v[0]], v[1]) }
	var running sync.WaitGroup
	for p := range putters {
		running.Go(func() {
			for n := range each {
				d.Put([2]int{p, n}, func([2]int) bool { return true })
			}
		})
	}
	running.Go(func() { d.Open(take, take) })
	running.Wait()
	for p, values := range got {
		if len(values) != each || !slices.IsSorted(values) || len(slices.Compact(slices.Clone(values))) != each {
			t.Errorf("of goroutine %d %d values came", p, len(values))
		}
	}
}
