package transport

import (
	"net"
	"testing"
)

// A loop hangs if it has something to do and does not go on.
func TestLoop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	state := new(loop)
	watched := Loop{state: state, fd: descriptorOf(l)}
	wants := func(what string, turns uint64, idle bool) {
		t.Helper()
		if n, rests := watched.Look(); n != turns || rests != idle {
			t.Errorf("%s: turn %d, idle: %v, want %d, %v", what, n, rests, turns, idle)
		}
	}
	wants("at the beginning", 0, false)
	state.wait()
	wants("waiting", 0, true)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if readableKnown {
		// It was not woken.
		wants("waiting while something is there", 0, false)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	wants("when it has taken that", 0, true)
	state.goOn()
	wants("at work", 1, false)
	state.end()
	wants("at its end", 1, true)
	watched = Loop{state: new(loop), fd: descriptorOf(1)}
	watched.state.wait()
	wants("without a descriptor", 0, true)
	watched.fd = func(use func(fd int)) { use(-1) }
	wants("with a descriptor that is closed", 0, true)
}
