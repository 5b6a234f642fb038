package succession

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// unacknowledged returns how many bytes the other end's program has not taken, as far as the kernel knows: those that
// are not acknowledged and, because the other end is on this machine, those that wait there.
func unacknowledged(t testing.TB, raw syscall.RawConn) int {
	t.Helper()
	n := 0
	if err := raw.Control(func(fd uintptr) {
		n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
