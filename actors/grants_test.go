package actors

import (
	"runtime"
	"testing"
)

func TestGrantsAreShared(t *testing.T) {
	var s grantSets
	names := []string{"a", "b"}
	one := s.of(names)
	names[0] = "x" // what a token grants is not changed by whoever read it
	for name, test := range map[string]struct {
		names []string
		same  bool
	}{
		"the same": {[]string{"a", "b"}, true},
		"fewer":    {[]string{"a"}, false},
		"others":   {[]string{"a", "c"}, false},
		"none":     {nil, false},
	} {
		if same := s.of(test.names) == one; same != test.same {
			t.Errorf("%s: same %v, want %v", name, same, test.same)
		}
	}
	if got := string(one.wire); got != `{"a":true,"b":true}` || one.names[0] != "a" {
		t.Errorf("got %s, %q", got, one.names)
	}
	if got := string(s.of(nil).wire); got != "[]" {
		t.Errorf("no permissions are %s", got)
	}
	runtime.KeepAlive(one)
}

// Sets that nobody holds any more are forgotten, or users of all times would stay.
func TestGrantsAreForgotten(t *testing.T) {
	var s grantSets
	kept := s.of([]string{"kept"})
	for i := range 100 {
		s.of([]string{string(rune('a' + i))})
	}
	left := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.sets)
	}
	for tries := 0; left() > 1; tries++ {
		if tries == 1000 {
			t.Fatalf("%d sets are left, want 1", left())
		}
		runtime.GC()
		runtime.Gosched()
	}
	if s.of([]string{"kept"}) != kept {
		t.Error("a set in use was forgotten")
	}
}
