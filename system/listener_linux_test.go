package system

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/system/internal/supervisor"
)

// listening returns the descriptor of this process's socket that listens at an address.
func listening(t *testing.T, addr net.Addr) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		fd, err := strconv.Atoi(f.Name())
		if err != nil {
			continue
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
			continue
		}
		name, err := unix.Getsockname(fd)
		if own, ok := name.(*unix.SockaddrInet4); err == nil && ok && own.Port == addr.(*net.TCPAddr).Port {
			return fd
		}
	}
	t.Fatalf("no socket listens at %s", addr)
	return -1
}

// TestDeafListenerIsGivenUp: a listener whose socket accepts nothing any more is started again a few times. Then Run
// ends and says which actor failed and why.
func TestDeafListenerIsGivenUp(t *testing.T) {
	s, stop, done := running(t, testConfig(t))
	defer stop()
	c := join(t, s, user("one.example", nil))
	if err := unix.Shutdown(listening(t, s.Addr()), unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	var err error
	select {
	case err = <-done:
	case <-time.After(patience):
		t.Fatal("it goes on without a listener")
	}
	gaveUp, ok := errors.AsType[*supervisor.GaveUp](err)
	if !ok || gaveUp.Child != listenerPlace {
		t.Fatalf("run: %v; want that the listener was given up", err)
	}
	const want, why = `gave up: child "listener": failure 6 within 1m0s: accept tcp `, "invalid argument"
	if text := err.Error(); !strings.HasPrefix(text, want) || !strings.HasSuffix(text, why) {
		t.Errorf("run: %v; want %s... %s", err, want, why)
	}
	<-c.closed
}
