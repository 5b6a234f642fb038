package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// writeTimeout bounds a write to a daemon that reads no more.
const writeTimeout = time.Minute

// socket is one TCP connection to the daemon, read as bytes first and as frames from the end of
// the handshake on. One goroutine uses it.
type socket struct {
	conn    net.Conn
	unread  []byte
	closing bool // the daemon's close frame was read
	packs   bool // the daemon may send compressed messages
	gone    bool // the end of the connection was reported
}

func dial(addr string) (*socket, error) {
	conn, err := net.DialTimeout("tcp", addr, writeTimeout)
	if err != nil {
		return nil, err
	}
	return &socket{conn: conn}, nil
}

// write sends data. A daemon that closes meanwhile makes this fail or not, whichever is faster, so
// what became of the connection is left to the next read to say.
func (s *socket) write(data []byte) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return // closed already
	}
	_, _ = s.conn.Write(data)
}

// fill reads more bytes. It returns os.ErrDeadlineExceeded when none came in time and io.EOF when
// the daemon closed the connection, by a reset or in order.
func (s *socket) fill(deadline time.Time) error {
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return io.EOF
	}
	var chunk [64 << 10]byte
	n, err := s.conn.Read(chunk[:])
	s.unread = append(s.unread, chunk[:n]...)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return io.EOF
	default:
		return err
	}
}

// frame returns the next frame, or an error of fill or cutFrame.
func (s *socket) frame(deadline time.Time) (frame, error) {
	for {
		f, rest, err := cutFrame(s.unread)
		if err == nil {
			s.unread = rest
			s.closing = s.closing || f.first&0x0f == opClose
			return f, nil
		}
		if !errors.Is(err, errShort) {
			return frame{}, err
		}
		if err := s.fill(deadline); err != nil {
			return frame{}, err
		}
	}
}

// head returns the head of an HTTP response with the blank line behind it. On an error what came
// stays in unread.
func (s *socket) head(deadline time.Time) (string, error) {
	for {
		if end := bytes.Index(s.unread, []byte("\r\n\r\n")); end >= 0 {
			head := string(s.unread[:end+4])
			s.unread = s.unread[end+4:]
			return head, nil
		}
		if err := s.fill(deadline); err != nil {
			return "", err
		}
	}
}

// drain reads and forgets until the connection ends, which is io.EOF as in fill.
func (s *socket) drain(deadline time.Time) error {
	for {
		s.unread = nil
		if err := s.fill(deadline); err != nil {
			return err
		}
	}
}

func (s *socket) close() { _ = s.conn.Close() }

// TestSocketReadsFramesInPieces lets a peer send two frames byte by byte.
func TestSocketReadsFramesInPieces(t *testing.T) {
	ours, theirs := net.Pipe()
	sent := append(appendFrame(nil, 0x81, 3, false, []byte("one")), appendFrame(nil, 0x88, 2, false, []byte{3, 232})...)
	done := make(chan error, 1)
	go func() {
		for _, b := range sent {
			if _, err := theirs.Write([]byte{b}); err != nil {
				done <- fmt.Errorf("write: %w", err)
				return
			}
		}
		done <- theirs.Close()
	}()
	s := &socket{conn: ours}
	defer s.close()
	deadline := time.Now().Add(2 * time.Minute)
	for _, want := range []string{"one", "\x03\xe8"} {
		if f, err := s.frame(deadline); err != nil || string(f.payload) != want {
			t.Fatalf("frame %q, %v; want %q", f.payload, err, want)
		}
	}
	if !s.closing {
		t.Error("the close frame was not noticed")
	}
	if _, err := s.frame(deadline); err != io.EOF {
		t.Errorf("behind the last frame: %v, want EOF", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSocketGivesUpInTime(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	s := &socket{conn: ours}
	defer s.close()
	if _, err := s.frame(time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("frame from a silent peer: %v", err)
	}
	if _, err := s.head(time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("head from a silent peer: %v", err)
	}
}
