package transport

import (
	"runtime"
	"testing"
)

// TestIdleConnectionsHaveNoStack: while it waits for bytes, a connection has no goroutine.
func TestIdleConnectionsHaveNoStack(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's frames are larger")
	}
	const connections = 400
	s := newServer(t, nil, nil)
	if len(s.pollers) == 0 {
		t.Skip("there are no pollers on this system")
	}
	s.login("client") // what is started once does not count
	before := stackBytes()
	for range connections {
		s.login("client")
	}
	s.settle()
	// The peers of this test read on goroutines of no connection; what is left is ours.
	got := (stackBytes() - before) / connections
	if got > 1<<10 {
		t.Errorf("%d bytes of stack a connection, want hardly any", got)
	}
}

// stackBytes may be less than it was: other goroutines' stacks shrink.
func stackBytes() int64 {
	// Twice: stacks of ended goroutines are freed by the collection after their end.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}
