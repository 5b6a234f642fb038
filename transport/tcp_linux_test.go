package transport

import (
	"log/slog"
	"net"
	"slices"
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
	if got, want := s.probing(), [][5]int{{28_000, 7, 7, 3, 1}}; !slices.Equal(got, want) {
		t.Errorf("user timeout, idle, interval, count and no delay are %v, want %v", got, want)
	}
}

// TestProbesFollowAReload: connections that come after a change of the interval have the new one.
func TestProbesFollowAReload(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.TCPKeepAlive = 7 * time.Second })
	for _, every := range []time.Duration{9 * time.Second, -1, 5 * time.Second} {
		l := *s.limits.Load()
		l.TCPKeepAlive = every
		s.limits.Store(&l)
		for range 2 {
			s.login("service:a")
		}
	}
	got := s.probing()
	for want, times := range map[[5]int]int{{36_000, 9, 9, 3, 1}: 2, {0, 0, 0, 0, 1}: 2, {20_000, 5, 5, 3, 1}: 2} {
		n := 0
		for _, options := range got {
			if options == want {
				n++
			}
		}
		if n != times {
			t.Errorf("%d connections have %v, want %d; all: %v", n, want, times, got)
		}
	}
}

// TestNoMultipathTCP: the listening socket takes the options that connections inherit, also on older kernels.
func TestNoMultipathTCP(t *testing.T) {
	s := newServer(t, nil, nil)
	raw, err := s.listener.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	protocol := 0
	if err := raw.Control(func(fd uintptr) {
		protocol, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil || protocol != unix.IPPROTO_TCP {
		t.Errorf("the protocol is %d (%v), want TCP", protocol, err)
	}
}

// probing returns the user timeout, the idle time and the interval of probes, their count, and whether small
// writes leave at once, of each connection. Without probes the three in the middle are 0.
func (s *server) probing() (all [][5]int) {
	for _, sh := range s.shards {
		sh.during(func() {
			for socket := range sh.sockets {
				control(socket.conn, func(fd int) {
					var options [5]int
					on, _ := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
					for i, option := range []int{unix.TCP_USER_TIMEOUT, syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT, syscall.TCP_NODELAY} {
						n, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, option)
						if err != nil {
							s.t.Error(err)
						}
						if probe := i > 0 && i < 4; !probe || on > 0 {
							options[i] = n
						}
					}
					all = append(all, options)
				})
			}
		})
		s.settle()
	}
	return all
}

// TestUnreachableIsCounted: what the kernel says when it gives up is told from other ends. After word of a router or of
// no neighbour it says that there is no way to the host or its network.
func TestUnreachableIsCounted(t *testing.T) {
	for errno, text := range map[syscall.Errno]string{
		syscall.ETIMEDOUT:    "connection timed out",
		syscall.EHOSTUNREACH: "no route to host",
		syscall.ENETUNREACH:  "network is unreachable",
	} {
		t.Run(text, func(t *testing.T) {
			lines := new(journal)
			r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), nil)
			l := r.link(0)
			l.lost(net.ErrClosed)
			l.lost(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
			if n := r.deps.Refusals().Count(refusals.Unreachable); n != 0 {
				t.Fatalf("%d counted, want none", n)
			}
			l.lost(&net.OpError{Op: "read", Err: errno})
			if n := r.deps.Refusals().Count(refusals.Unreachable); n != 1 {
				t.Errorf("%d counted, want 1", n)
			}
			lines.want(t, `level=WARN msg="connection lost because the peer cannot be reached" cause=unreachable remote=127\.0\.0\.1:\d+ role=\w+ setting=keepalive\.tcp err="`+text+`"\n`)
		})
	}
}
