package eventsocket

import (
	"errors"
	"net"
	"testing"
)

// TestAfterTheEnd gives a command to a connection that has ended meanwhile. The error says that it was not sent.
func TestAfterTheEnd(t *testing.T) {
	client, err := New(Options{Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	defer there.Close()
	s := newSession(client, here)
	waits := &pending{answer: make(chan outcome, 1)}
	if err := s.send(API("version"), waits); err != nil {
		t.Fatal(err)
	}
	s.end()
	if o := <-waits.answer; !errors.Is(o.err, ErrDisconnected) {
		t.Errorf("a command that waits for its reply ends with %v", o.err)
	}
	client.session = s
	if _, err := client.Do(t.Context(), API("version")); !errors.Is(err, ErrNotConnected) || errors.Is(err, ErrDisconnected) {
		t.Errorf("a command that was not sent ends with %v", err)
	}
}
