package load

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize bounds one read, and so the longest message.
const bufferSize = 4 << 20

// Loop waits for many connections at once and calls their handlers, all on one goroutine.
type Loop struct {
	epoll, wake int
	start       time.Time
	conns       []*Conn // by file descriptor
	buf         []byte
	done        chan struct{}

	mu    sync.Mutex // protects posted
	posts []func()
	ended bool // the loop's own
}

// NewLoop starts a loop. Its clock begins at zero.
func NewLoop() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create eventfd: %w", err), unix.Close(epoll))
	}
	l := &Loop{epoll: epoll, wake: wake, start: time.Now(), buf: make([]byte, bufferSize), done: make(chan struct{})}
	go l.run()
	return l, nil
}

// Now is the time since the loop was made; it may be called from any goroutine.
func (l *Loop) Now() time.Duration { return time.Since(l.start) }

// Post has f run on the loop's goroutine, soon.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	l.posts = append(l.posts, f)
	l.mu.Unlock()
	_, _ = unix.Write(l.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // fails only when it is awake anyway
}

// Do runs f on the loop's goroutine and waits for it. It must not be called from there.
func (l *Loop) Do(f func()) {
	done := make(chan struct{})
	l.Post(func() { f(); close(done) })
	<-done
}

// Add gives connections to the loop, which reads them from now on.
func (l *Loop) Add(conns ...*Conn) error {
	var err error
	l.Do(func() {
		for _, c := range conns {
			if err = l.add(c); err != nil {
				return
			}
		}
	})
	return err
}

// Close ends the loop and all its connections. Handlers are not told.
func (l *Loop) Close() {
	l.Do(func() {
		for _, c := range l.conns {
			if c != nil {
				c.Close()
			}
		}
		l.ended = true
	})
	<-l.done
	_ = errors.Join(unix.Close(l.epoll), unix.Close(l.wake)) // nobody has use for it any more
}

func (l *Loop) add(c *Conn) error {
	if err := unix.SetNonblock(c.fd, true); err != nil {
		return fmt.Errorf("set non-blocking: %w", err)
	}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}); err != nil {
		return fmt.Errorf("add to epoll: %w", err)
	}
	if missing := c.fd + 1 - len(l.conns); missing > 0 {
		l.conns = append(l.conns, make([]*Conn, missing)...)
	}
	l.conns[c.fd] = c
	c.loop = l
	c.scratch = nil
	// What came behind the handshake's last answer is here already.
	in := c.in
	c.in = nil
	c.keep(c.take(in))
	return nil
}

func (l *Loop) run() {
	defer close(l.done)
	events := make([]unix.EpollEvent, 1024)
	for !l.ended {
		n, err := retry(func() (int, error) { return unix.EpollWait(l.epoll, events, -1) })
		if err != nil {
			panic(fmt.Sprintf("epoll wait: %v", err)) // a bug: the descriptor is ours
		}
		for _, e := range events[:n] {
			l.event(int(e.Fd), e.Events)
		}
	}
}

func (l *Loop) event(fd int, events uint32) {
	if fd == l.wake {
		l.runPosts()
		return
	}
	c := l.conns[fd]
	if c == nil {
		return // closed earlier in this batch
	}
	if events&unix.EPOLLOUT != 0 {
		c.flush()
	}
	if events&^unix.EPOLLOUT != 0 && c.fd >= 0 {
		l.read(c)
	}
}

func (l *Loop) runPosts() {
	var counter [8]byte
	_, _ = unix.Read(l.wake, counter[:]) // resets it
	l.mu.Lock()
	posts := l.posts
	l.posts = nil
	l.mu.Unlock()
	for _, f := range posts {
		f()
	}
}

func (l *Loop) read(c *Conn) {
	old := copy(l.buf, c.in)
	if old == len(l.buf) {
		l.fail(c, fmt.Errorf("message longer than %d bytes", bufferSize))
		return
	}
	n, err := retry(func() (int, error) { return unix.Read(c.fd, l.buf[old:]) })
	switch {
	case errors.Is(err, unix.EAGAIN):
		return
	case err != nil:
		l.fail(c, fmt.Errorf("read: %w", err))
		return
	case n == 0:
		l.fail(c, io.EOF)
		return
	}
	c.keep(c.take(l.buf[:old+n]))
}

// keep stores a copy of what is no whole frame yet.
func (c *Conn) keep(rest []byte) {
	if len(rest) == 0 {
		c.in = c.in[:0]
		return
	}
	c.in = append(c.in[:0], rest...)
}

func (l *Loop) watch(c *Conn, events uint32) {
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.fd)}); err != nil {
		l.fail(c, fmt.Errorf("watch: %w", err))
	}
}

func (l *Loop) forget(c *Conn) { l.conns[c.fd] = nil }

func (l *Loop) fail(c *Conn, err error) {
	c.Close()
	c.Handler.Closed(c, err)
}
