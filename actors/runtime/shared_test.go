package runtime

import (
	"runtime"
	"testing"
	"weak"
)

// What nobody holds any more is forgotten, or the permissions of users of all times would stay.
func TestSharedIsForgotten(t *testing.T) {
	var s Shared[string]
	of := func(key string) *string { return s.Of(key, func() *string { return &key }) }
	kept := of("kept")
	for i := range 100 {
		of(string(rune('a' + i)))
	}
	left := func() int {
		s.table.mu.Lock()
		defer s.table.mu.Unlock()
		return len(s.table.values)
	}
	for tries := 0; left() > 1; tries++ {
		if tries == 1000 {
			t.Fatalf("%d values are left, want 1", left())
		}
		runtime.GC()
		runtime.Gosched()
	}
	if of("kept") != kept {
		t.Error("a value in use was forgotten")
	}
}

// A value that somebody still holds does not keep what the Shared is a part of, or a permission would keep a router
// that has stopped.
func TestSharedIsNotHeldByItsValues(t *testing.T) {
	type owner struct{ shared Shared[string] }
	o := new(owner)
	held := o.shared.Of("held", func() *string { return new("held") })
	gone := weak.Make(o)
	for tries := 0; gone.Value() != nil; tries++ {
		if tries == 1000 {
			t.Fatal("what the Shared is a part of is kept by a value")
		}
		runtime.GC()
		runtime.Gosched()
	}
	runtime.KeepAlive(held)
}
