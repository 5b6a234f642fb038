package transport

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
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
		f := framed(strings.Repeat("x", 64<<10))
		f.Refused = refuser(func() { refused++ })
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
	service.Send(framed("and on it goes"))
	service.expect(t, "and on it goes")
}

// halting is a connection whose writes time out in the middle, so many times.
type halting struct {
	deadlines
	times int
}

func (h *halting) Write(p []byte) (int, error) {
	if h.times == 0 {
		return h.deadlines.Write(p)
	}
	h.times--
	n, _ := h.deadlines.Write(p[:len(p)/2])
	return n, os.ErrDeadlineExceeded
}

// TestWriteGoesOnAfterAPause: a deadline that has passed while the process did not run is extended, and not
// a byte is lost or written twice. One that has passed otherwise ends the write.
func TestWriteGoesOnAfterAPause(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 100)
	conn := halting{times: 2}
	now := time.Now()
	if err := writePiece(&conn, &net.Buffers{want}, time.Minute, func() time.Time { return now }, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(conn.written.Bytes(), want) {
		t.Errorf("got %q, want each byte once", conn.written.Bytes())
	}
	conn = halting{times: 2}
	running := func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
	if err := writePiece(&conn, &net.Buffers{want}, time.Minute, running, nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want that the time is over", err)
	}
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
	if _, err := writeAll(&conn, frames, time.Minute, time.Now, nil, new(atomic.Int64)); err != nil {
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
