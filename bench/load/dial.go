package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// dialTimeout bounds each read and write until a Loop has the connection.
const dialTimeout = 20 * time.Second

// Options are what a connection may have special.
type Options struct {
	// Path is what the upgrade asks for; empty means "/".
	Path string
	// ReceiveBuffer is the size of the kernel's buffer in bytes. Zero leaves it to the kernel.
	ReceiveBuffer int
}

// Dial opens a WebSocket to addr, an IPv4 address.
func Dial(addr netip.AddrPort, o Options) (*Conn, error) {
	fd, err := connect(addr, o.ReceiveBuffer)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	c := &Conn{fd: fd}
	if err := c.upgrade(addr, o.Path); err != nil {
		c.Close()
		return nil, fmt.Errorf("upgrade at %s: %w", addr, err)
	}
	return c, nil
}

func connect(addr netip.AddrPort, receiveBuffer int) (int, error) {
	if !addr.Addr().Is4() {
		return -1, errors.New("not an IPv4 address")
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	timeout := unix.NsecToTimeval(dialTimeout.Nanoseconds())
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout))
	if receiveBuffer > 0 {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer))
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()})
	}
	if errors.Is(err, unix.EINTR) {
		// The kernel goes on connecting; a write tells how it went.
		err = awaitConnect(fd)
	}
	if err != nil {
		_ = unix.Close(fd) // the first error says more
		return -1, err
	}
	return fd, nil
}

func awaitConnect(fd int) error {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if _, err := retry(func() (int, error) { return unix.Poll(poll, int(dialTimeout.Milliseconds())) }); err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return unix.Errno(code)
	}
	return nil
}

// upgrade does the opening handshake. The key is always the same one: nobody here caches.
func (c *Conn) upgrade(addr netip.AddrPort, path string) error {
	if path == "" {
		path = "/"
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr.String() + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3Ryb3dnZXItYmVuY2gtMQ==\r\n\r\n"
	if err := c.write([]byte(request)); err != nil {
		return err
	}
	for {
		if err := c.fill(); err != nil {
			return err
		}
		head, rest, whole := bytes.Cut(c.in, []byte("\r\n\r\n"))
		if !whole {
			continue
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
			line, _, _ := bytes.Cut(head, []byte("\r\n"))
			return fmt.Errorf("answered %q", line)
		}
		c.in = c.in[:copy(c.in, rest)]
		return nil
	}
}

// DialMany opens n connections, several at a time. The first error ends it, and those that are open
// by then are closed.
func DialMany(n, workers int, dial func(i int) (*Conn, error)) ([]*Conn, error) {
	conns := make([]*Conn, n)
	errs := make([]error, workers)
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				c, err := dial(i)
				if err != nil {
					errs[w] = fmt.Errorf("connection %d of %d: %w", i+1, n, err)
					failed.Store(true)
					return
				}
				c.Index = i
				conns[i] = c
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
		return nil, err
	}
	return conns, nil
}
