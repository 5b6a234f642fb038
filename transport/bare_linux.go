package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bare is an accepted TCP connection that is no more than its descriptor. The package's own system calls use
// that, so Go's poller need not know it, and the addresses and locks of net.TCPConn are not needed. Where
// somebody must wait for the peer, as a goroutine that writes to a slow reader does, the descriptor becomes a
// file of Go's poller. Its methods may be called from any goroutine.
type bare struct {
	fd   int
	from netip.AddrPort

	mu     sync.Mutex // Protects following, and fd from being used after Close.
	file   *os.File   // nil until somebody waits
	closed bool
}

// waiting returns the connection as a file.
func (b *bare) waiting() (*os.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, net.ErrClosed
	}
	if b.file == nil {
		b.file = os.NewFile(uintptr(b.fd), "tcp")
	}
	return b.file, nil
}

// control calls f with the descriptor, which stays open meanwhile. It does not call f after Close.
func (b *bare) control(f func(fd int)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		f(b.fd)
	}
}

// Read implements net.Conn. It waits for the peer.
func (b *bare) Read(p []byte) (int, error) {
	file, err := b.waiting()
	if err != nil {
		return 0, b.failed("read", err)
	}
	n, err := file.Read(p)
	return n, b.failed("read", err)
}

// Write implements net.Conn. It waits for the peer.
func (b *bare) Write(p []byte) (int, error) {
	file, err := b.waiting()
	if err != nil {
		return 0, b.failed("write", err)
	}
	n, err := file.Write(p)
	return n, b.failed("write", err)
}

// failed returns an error as connections of package net have it.
func (b *bare) failed(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // straight from the file
		return err
	}
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err
	}
	if errors.Is(err, os.ErrClosed) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "tcp", Addr: b.RemoteAddr(), Err: err}
}

// Close implements net.Conn.
func (b *bare) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	b.closed = true
	if b.file != nil {
		return b.file.Close()
	}
	return unix.Close(b.fd)
}

// CloseRead has reads return the end of the stream.
func (b *bare) CloseRead() error { return b.shutdown(unix.SHUT_RD) }

// CloseWrite tells the peer that nothing more comes.
func (b *bare) CloseWrite() error { return b.shutdown(unix.SHUT_WR) }

// dismiss ends both directions and leaves the descriptor to those who use it.
func (b *bare) dismiss() { _ = b.shutdown(unix.SHUT_RDWR) }

func (b *bare) shutdown(how int) error {
	err := net.ErrClosed
	b.control(func(fd int) { err = unix.Shutdown(fd, how) })
	return err
}

// LocalAddr implements net.Conn.
func (b *bare) LocalAddr() net.Addr {
	var own netip.AddrPort
	b.control(func(fd int) {
		if name, err := syscall.Getsockname(fd); err == nil {
			own = addressOf(name)
		}
	})
	return net.TCPAddrFromAddrPort(own)
}

// RemoteAddr implements net.Conn.
func (b *bare) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(b.from) }

// String returns the peer's address, as RemoteAddr would.
func (b *bare) String() string { return b.from.String() }

// AddrPort returns the peer's address.
func (b *bare) AddrPort() netip.AddrPort { return b.from }

// SetDeadline implements net.Conn.
func (b *bare) SetDeadline(t time.Time) error { return b.limit(t, (*os.File).SetDeadline) }

// SetReadDeadline implements net.Conn.
func (b *bare) SetReadDeadline(t time.Time) error { return b.limit(t, (*os.File).SetReadDeadline) }

// SetWriteDeadline implements net.Conn.
func (b *bare) SetWriteDeadline(t time.Time) error { return b.limit(t, (*os.File).SetWriteDeadline) }

func (b *bare) limit(t time.Time, set func(*os.File, time.Time) error) error {
	file, err := b.waiting()
	if err == nil {
		err = set(file, t)
	}
	return b.failed("set", err)
}

// bareListener accepts connections as *bare. The kernel gives each the options of the listening socket, but for
// the user timeout, which costs nothing.
type bareListener struct {
	file   *os.File
	raw    syscall.RawConn
	addr   net.Addr
	closed atomic.Bool

	// The rest belongs to the goroutine that accepts.
	try      func(fd uintptr) bool // accept, once for all calls
	accepted *bare
	err      error
	every    time.Duration // the interval of probes that the listening socket has
	older    bool          // connections may wait that were made when it had another one
}

// bareConnections returns a listener of connections that are *bare in place of one that it closes.
func bareConnections(from net.Listener, every time.Duration) (net.Listener, error) {
	defer func() { _ = from.Close() }()
	file, err := from.(*net.TCPListener).File() // another descriptor of the same socket
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l := &bareListener{file: file, raw: raw, addr: from.Addr(), every: every}
	l.try = l.accept
	if err := raw.Control(func(fd uintptr) { keepAlive(int(fd), every) }); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// Accept implements net.Listener. It returns net.ErrClosed after Close. It is for one goroutine.
func (l *bareListener) Accept() (net.Conn, error) {
	l.accepted, l.err = nil, nil
	err := l.raw.Read(l.try)
	switch {
	case err != nil && l.closed.Load():
		return nil, net.ErrClosed // what Read returns then is an error of its own
	case err != nil:
		return nil, fmt.Errorf("wait for a connection: %w", err)
	case l.err != nil:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: os.NewSyscallError("accept4", l.err)}
	}
	return l.accepted, nil
}

// accept returns false if Go's poller is to wait for a connection.
func (l *bareListener) accept(listening uintptr) bool {
	for {
		fd, name, err := syscall.Accept4(int(listening), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.accepted = &bare{fd: fd, from: addressOf(name)}
			if l.older {
				keepAlive(fd, l.every)
			}
			giveUpAfter(fd, l.every)
			return true
		case syscall.EAGAIN:
			l.older = false
			return false
		case syscall.EINTR, syscall.ECONNABORTED:
		default:
			l.err = err
			return true
		}
	}
}

// tune sets the interval of the kernel's probes for conn, which was accepted last, and for connections to come.
// Accept sets it for those that wait to be accepted.
func (l *bareListener) tune(conn net.Conn, every time.Duration) {
	if every == l.every {
		return
	}
	control(conn, func(fd int) {
		keepAlive(fd, every)
		giveUpAfter(fd, every)
	})
	l.every, l.older = every, true
	_ = l.raw.Control(func(fd uintptr) { keepAlive(int(fd), every) })
}

// SetDeadline sets when Accept gives up, with an error that wraps os.ErrDeadlineExceeded.
func (l *bareListener) SetDeadline(t time.Time) error { return l.file.SetReadDeadline(t) }

// Close implements net.Listener.
func (l *bareListener) Close() error {
	l.closed.Store(true)
	return l.file.Close()
}

// Addr implements net.Listener.
func (l *bareListener) Addr() net.Addr { return l.addr }

// SyscallConn gives access to the listening socket.
func (l *bareListener) SyscallConn() (syscall.RawConn, error) { return l.raw, nil }

// keepAlive sets what tune sets for connections of package net, but for the user timeout.
func keepAlive(fd int, every time.Duration) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if every <= 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
		return
	}
	seconds := int((every + time.Second - 1) / time.Second)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, probes)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
}

// addressOf returns a socket's address as netip has it.
func addressOf(name syscall.Sockaddr) netip.AddrPort {
	switch n := name.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(n.Addr), uint16(n.Port))
	case *syscall.SockaddrInet6:
		a := netip.AddrFrom16(n.Addr).Unmap()
		if n.ZoneId != 0 && a.Is6() {
			a = a.WithZone(zone(n.ZoneId))
		}
		return netip.AddrPortFrom(a, uint16(n.Port))
	}
	return netip.AddrPort{}
}

// zone returns the name of an interface, its number if it has none.
func zone(id uint32) string {
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return fmt.Sprint(id)
}
