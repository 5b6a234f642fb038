package transport

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"strowger/actors"
)

// accepts returns what ends the accepting from a listener.
func accepts(t *testing.T, from net.Listener) error {
	r := newRig(t, nil)
	s := &Server{opts: Options{Limits: r.limits, Deps: r.deps, Log: r.deps.Log}, egress: r.Egress, listener: from, opened: make(chan struct{}), turns: newTurns(r.limits)}
	s.Open()
	return s.accept(actors.RouterRef{})
}

// listening returns a listener of connections that are bare.
func listening(t *testing.T) *bareListener {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := bareConnections(tcp, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*bareListener)
}

// TestEndOfAccepting: only a listener that was closed ends in good order. One that does not hear of connections any
// more fails, so that its actor crashes.
func TestEndOfAccepting(t *testing.T) {
	closed := listening(t)
	_ = closed.Close()
	if err := accepts(t, closed); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: ended with %v, want that it is closed", err)
	}
	deaf := listening(t)
	if err := deaf.file.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := accepts(t, deaf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deaf: ended with %v, want what Go's poller says", err)
	}
	mute := listening(t)
	if err := mute.raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RD) }); err != nil {
		t.Fatal(err)
	}
	if err := accepts(t, mute); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("shut down: ended with %v, want what the kernel says", err)
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EPERM, syscall.ENETDOWN} {
		if err := accepts(t, &failing{calls: 2, errno: errno}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v: ended with %v, want that it is tried again", errno, err)
		}
	}
}
