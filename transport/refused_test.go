package transport

import (
	"log/slog"
	"net"
	"os"
	"regexp"
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

// want fails unless exactly one line matches a regular expression.
func (j *journal) want(t *testing.T, expression string) {
	t.Helper()
	if got := j.String(); len(regexp.MustCompile(expression).FindAllString(got, -1)) != 1 {
		t.Errorf("want one line %s, got %q", expression, got)
	}
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

// TestFailingAcceptIsNamed: an accept that fails is tried again, counted by its cause, and named once a minute.
func TestFailingAcceptIsNamed(t *testing.T) {
	for errno, tc := range map[syscall.Errno]struct {
		cause refusals.Cause
		want  string
	}{
		syscall.EMFILE:  {refusals.Descriptors, `msg="connection refused because no file descriptor is left" cause=descriptors setting="LimitNOFILE, limits.connections" err="accept tcp: accept4: too many open files"`},
		syscall.ENFILE:  {refusals.Descriptors, `msg="connection refused because no file descriptor is left" cause=descriptors setting=fs.file-max err="accept tcp: accept4: too many open files in system"`},
		syscall.ENOBUFS: {refusals.Accept, `msg="connection could not be accepted" cause=accept err="accept tcp: accept4: no buffer space available"`},
		syscall.ENOMEM:  {refusals.Accept, `msg="connection could not be accepted" cause=accept err="accept tcp: accept4: cannot allocate memory"`},
	} {
		t.Run(errno.Error(), func(t *testing.T) {
			lines := new(journal)
			r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), nil)
			s := &Server{opts: Options{Limits: r.limits, Deps: r.deps, Log: r.deps.Log}, egress: r.Egress, listener: &failing{calls: 3, errno: errno}, opened: make(chan struct{})}
			s.Open()
			if err := s.accept(actors.RouterRef{}); err != net.ErrClosed {
				t.Errorf("ended with %v, want that it is closed", err)
			}
			want := "level=ERROR " + tc.want
			if got := lines.String(); strings.Count(got, want) != 1 || strings.Count(got, "\n") != 1 {
				t.Errorf("want one line %s, got %q", want, got)
			}
			for _, cause := range []refusals.Cause{refusals.Descriptors, refusals.Accept} {
				want := int64(0)
				if cause == tc.cause {
					want = 3
				}
				if n := r.deps.Refusals().Count(cause); n != want {
					t.Errorf("%s: counted %d, want %d", cause, n, want)
				}
			}
		})
	}
}

// TestFailingAcceptsAreToldApart: each error has its line, and none hides another.
func TestFailingAcceptsAreToldApart(t *testing.T) {
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), nil)
	s := &Server{opts: Options{Deps: r.deps}}
	errnos := []syscall.Errno{syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM}
	for range 2 {
		for _, errno := range errnos {
			s.acceptFailed(errno)
		}
	}
	if got := strings.Count(lines.String(), "cause=accept"); got != len(errnos) {
		t.Errorf("%d lines, want %d: %s", got, len(errnos), lines)
	}
}
