package transport

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

// A client must not be able to take a service down by asking more than it can read.
func TestRequestsDoNotTakeAServiceDown(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 8, 1<<20 })
	service := r.link(4 << 10)
	const requests = 100
	refused := 0
	for range requests {
		f := frame(strings.Repeat("x", 64<<10))
		f.Refused = func() { refused++ }
		service.Send(f)
		r.settle()
	}
	if refused == 0 || refused == requests {
		t.Fatalf("%d of %d requests refused, want some", refused, requests)
	}
	if service.look(func() bool { return service.finished }) || r.deps.Counters.SlowConsumers.Load() != 0 {
		t.Fatal("the service was cut off")
	}
	service.expect(t, "admitted")
	for range requests - refused {
		service.expect(t, strings.Repeat("x", 64<<10))
	}
	// The client has read it all a moment before the shard knows that nothing waits any more.
	eventually(t, "nothing waits", func() bool { return service.look(func() bool { return service.waiting == 0 }) })
	service.Send(frame("and on it goes"))
	service.expect(t, "and on it goes")
}

// deadlines is a connection that notes what is written under which deadline.
type deadlines struct {
	net.Conn
	written bytes.Buffer
	longest int // bytes written since a deadline was set
	since   int
	last    time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.last, d.since = t, 0
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	d.since += len(p)
	d.longest = max(d.longest, d.since)
	return d.written.Write(p)
}

func TestDeadlineIsForAPiece(t *testing.T) {
	frames := net.Buffers{[]byte("a"), bytes.Repeat([]byte("b"), maxPiece), bytes.Repeat([]byte("c"), 3*maxPiece+7), []byte("d")}
	want := bytes.Join(frames, nil)
	var conn deadlines
	if err := writeAll(&conn, frames, time.Minute); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(conn.written.Bytes(), want) {
		t.Error("what was written differs from the frames")
	}
	if conn.longest != maxPiece {
		t.Errorf("%d bytes under one deadline, want %d", conn.longest, maxPiece)
	}
	if !conn.last.IsZero() {
		t.Error("a deadline is left behind")
	}
}
