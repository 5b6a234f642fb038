package conformance

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// usualWait is how long an awaited event may take where a step does not say.
const usualWait = 2 * time.Second

// patience is how long an awaited event may take in a scenario whose transcript has all of them. It is more than
// the steps say, because a busy machine can be late.
const patience = 30 * time.Second

// patienceFor returns how long the steps of a scenario wait at least, whose transcript is want: patience, unless the
// transcript says that something did not come in time.
func patienceFor(want []string) time.Duration {
	late := func(line string) bool {
		return strings.Contains(line, "still open") || strings.Contains(line, "! no") && strings.HasSuffix(line, " ms")
	}
	if slices.ContainsFunc(want, late) {
		return 0
	}
	return patience
}

// deadline is when a step that awaits something gives up.
func (r *runner) deadline(s step) time.Time { return time.Now().Add(max(s.wait(), r.patience)) }

func (s step) wait() time.Duration {
	if s.Within == 0 {
		return usualWait
	}
	return time.Duration(s.Within) * time.Millisecond
}

// expect writes down the next frames and keeps fields of the last one.
func (r *runner) expect(socket *socket, s step) error {
	var envelope map[string]any
	deadline := r.deadline(s)
	for range max(s.N, 1) {
		f, err := socket.frame(deadline)
		if err != nil {
			r.sayEnd(socket, s.Conn, err, "nothing", s.wait())
			break
		}
		envelope = r.sayFrame(s.Conn, f, true)
	}
	for name, field := range s.Capture {
		if text, ok := envelope[field].(string); ok {
			r.captured[name] = text
		}
	}
	return nil
}

// expectNothing writes quiet when nothing arrives, else all that does. The end of the TCP
// connection belongs to a close frame and may take its time.
func (r *runner) expectNothing(socket *socket, s step) {
	quiet, deadline := true, time.Now().Add(s.wait())
	for {
		if socket.closing {
			deadline = time.Now().Add(max(usualWait, r.patience))
		}
		f, err := socket.frame(deadline)
		if err == nil {
			r.sayFrame(s.Conn, f, true)
			quiet = false
			continue
		}
		timedOut := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case !timedOut || socket.closing:
			r.sayEnd(socket, s.Conn, err, "still open", usualWait)
		case len(socket.unread) > 0:
			r.say("%s ! part of a frame hex:%x", s.Conn, socket.unread)
		case quiet:
			r.say("%s quiet", s.Conn)
		}
		return
	}
}

// expectClose writes down all frames up to the end of the connection. Unless the step is exact,
// close frames are one line without their bytes.
func (r *runner) expectClose(socket *socket, s step) {
	deadline, told := r.deadline(s), false
	for {
		f, err := socket.frame(deadline)
		if err != nil {
			r.sayEnd(socket, s.Conn, err, "still open", s.wait())
			return
		}
		isClose := f.first&0x0f == opClose
		if isClose && told && !s.Exact {
			continue
		}
		told = told || isClose
		r.sayFrame(s.Conn, f, s.Exact)
	}
}

// expectBytes writes down the head of an HTTP response as it came.
func (r *runner) expectBytes(socket *socket, s step) error {
	head, err := socket.head(r.deadline(s))
	if err != nil {
		r.sayEnd(socket, s.Conn, err, "no HTTP reply", s.wait())
		return nil
	}
	quoted, err := encodeValue(head)
	r.say("%s <- bytes %s", s.Conn, quoted)
	return err
}

// sayEnd says why a wait ended: nothing in time, or the connection gone.
func (r *runner) sayEnd(socket *socket, conn string, err error, late string, wait time.Duration) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.say("%s ! %s after %d ms", conn, late, wait.Milliseconds())
	case err != io.EOF:
		r.say("%s ! %v", conn, err)
	case socket.gone:
		r.say("%s ! tcp closed before", conn)
	case len(socket.unread) > 0:
		r.say("%s ! tcp closed behind hex:%x", conn, socket.unread)
	default:
		socket.gone = true
		r.say("%s <- tcp closed", conn)
	}
}
