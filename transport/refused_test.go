package transport

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"strowger/actors"
	"strowger/actors/refusals"
)

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex // Protects text.
	text strings.Builder
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String returns all of it.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// failing is a listener whose accepts fail with errno for some calls. It is closed after that.
type failing struct {
	net.Listener
	calls int
	errno syscall.Errno
}

// Accept implements net.Listener.
func (e *failing) Accept() (net.Conn, error) {
	if e.calls--; e.calls < 0 {
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", e.errno)}
}

// An accept that fails for want of descriptors is tried again, counted, and named once a minute.
func TestFailingAcceptIsNamed(t *testing.T) {
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), nil)
	s := &Server{opts: Options{Limits: r.limits, Deps: r.deps, Log: r.deps.Log}, egress: r.Egress, listener: &failing{calls: 3, errno: syscall.EMFILE}, opened: make(chan struct{})}
	s.Open()
	if err := s.accept(actors.RouterRef{}); err != net.ErrClosed {
		t.Errorf("ended with %v, want that it is closed", err)
	}
	const want = `level=ERROR msg="connection refused because no file descriptor is left" cause=descriptors setting="LimitNOFILE, limits.connections" err="accept tcp: accept4: too many open files"`
	if got := lines.String(); strings.Count(got, want) != 1 || strings.Count(got, "\n") != 1 {
		t.Errorf("want one line %s, got %q", want, got)
	}
	if n := r.deps.Refusals().Count(refusals.Descriptors); n != 3 {
		t.Errorf("counted %d, want 3", n)
	}
}
