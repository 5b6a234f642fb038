package runtime

import (
	"runtime"
	"testing"
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
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.values)
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
