package transport

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/actors/refusals"
)

// TestUnreachableIsGivenUp: the kernel is told to end a connection whose peer does not acknowledge.
func TestUnreachableIsGivenUp(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.TCPKeepAlive = 7 * time.Second })
	s.login("service:a")
	var options []int
	for _, sh := range s.shards {
		sh.during(func() {
			for socket := range sh.sockets {
				raw, err := socket.conn.(*net.TCPConn).SyscallConn()
				if err != nil {
					t.Error(err)
					continue
				}
				_ = raw.Control(func(fd uintptr) {
					for _, option := range []int{unix.TCP_USER_TIMEOUT, syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT} {
						n, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option)
						if err != nil {
							t.Error(err)
						}
						options = append(options, n)
					}
				})
			}
		})
		s.settle()
	}
	want := []int{28_000, 7, 7, 3}
	if len(options) != 4 || [4]int(options) != [4]int(want) {
		t.Errorf("user timeout, idle, interval and count are %v, want %v", options, want)
	}
}

// TestUnreachableIsCounted: what the kernel says when it gives up is told from other ends.
func TestUnreachableIsCounted(t *testing.T) {
	r := newRig(t, nil)
	l := r.link(0)
	l.lost(net.ErrClosed)
	l.lost(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
	if n := r.deps.Refusals().Count(refusals.Unreachable); n != 0 {
		t.Fatalf("%d counted, want none", n)
	}
	l.lost(&net.OpError{Op: "read", Err: syscall.ETIMEDOUT})
	if n := r.deps.Refusals().Count(refusals.Unreachable); n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
}
