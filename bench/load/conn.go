package load

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Handler takes what a Loop reads from one connection. Its methods run on the loop's goroutine.
type Handler interface {
	// Frame takes one whole message, which is gone when it returns.
	Frame(c *Conn, payload []byte)
	// Closed says that the connection ended though nobody here closed it.
	Closed(c *Conn, err error)
}

// Conn is one WebSocket of a client. Until a Loop has it, it blocks, and one goroutine may read and
// write it; from then on it is the loop's.
type Conn struct {
	// Handler takes the messages. It must be there when a Loop gets the connection.
	Handler Handler
	// Index is the caller's: which one of several this is.
	Index int
	// Last and Hint are the handler's: the last event seen, and where its mark stood.
	Last uint32
	Hint int

	fd      int
	loop    *Loop
	in      []byte // what was read and is no whole frame yet
	out     []byte // what the kernel did not take
	scratch []byte
}

// Read returns the payload of the next message, waiting for it for dialTimeout at most. What it
// returns is good until the next call. Pings are answered. Not for use under a Loop.
func (c *Conn) Read() ([]byte, error) {
	// What the last call returned is at the front of in.
	for {
		opcode, payload, rest, err := cutFrame(c.in)
		if err != nil {
			return nil, err
		}
		switch opcode {
		case 0:
			if err := c.fill(); err != nil {
				return nil, err
			}
			continue
		case opPing:
			if err := c.write(appendFrame(nil, opPong, payload)); err != nil {
				return nil, err
			}
		case opClose:
			return nil, closeError(payload)
		case opText, opBinary:
			c.scratch = append(c.scratch[:0], payload...)
			c.in = c.in[:copy(c.in, rest)]
			return c.scratch, nil
		}
		c.in = c.in[:copy(c.in, rest)]
	}
}

// Say sends one text message, blocking. Not for use under a Loop.
func (c *Conn) Say(payload []byte) error { return c.write(AppendText(nil, payload)) }

// Close ends the connection at once, without a closing handshake. Under a Loop it must be called
// from the loop's goroutine.
func (c *Conn) Close() {
	if c.fd < 0 {
		return
	}
	if c.loop != nil {
		c.loop.forget(c)
	}
	_ = unix.Close(c.fd) // there is nothing to do about it
	c.fd = -1
}

// Send writes frames that are ready made; what the kernel does not take waits. Only for use under a
// Loop and from its goroutine. Frames is the caller's again when it returns.
func (c *Conn) Send(frames []byte) {
	if c.fd < 0 {
		return
	}
	if len(c.out) > 0 {
		c.out = append(c.out, frames...)
		return
	}
	n, err := retry(func() (int, error) { return unix.Write(c.fd, frames) })
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		c.loop.fail(c, fmt.Errorf("write: %w", err))
		return
	}
	if n = max(n, 0); n < len(frames) {
		c.out = append(c.out, frames[n:]...)
		c.loop.watch(c, unix.EPOLLIN|unix.EPOLLOUT)
	}
}

// flush writes what waits.
func (c *Conn) flush() {
	n, err := retry(func() (int, error) { return unix.Write(c.fd, c.out) })
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		c.loop.fail(c, fmt.Errorf("write: %w", err))
		return
	}
	c.out = c.out[:copy(c.out, c.out[max(n, 0):])]
	if len(c.out) == 0 {
		c.out = nil
		c.loop.watch(c, unix.EPOLLIN)
	}
}

// take hands the whole frames of b to the handler and returns the rest.
func (c *Conn) take(b []byte) []byte {
	for c.fd >= 0 {
		opcode, payload, rest, err := cutFrame(b)
		if err != nil {
			c.loop.fail(c, err)
			return nil
		}
		switch opcode {
		case 0:
			return b
		case opText, opBinary:
			c.Handler.Frame(c, payload)
		case opPing:
			c.Send(appendFrame(nil, opPong, payload))
		case opClose:
			c.loop.fail(c, closeError(payload))
			return nil
		}
		b = rest
	}
	return nil
}

func (c *Conn) fill() error {
	const step = 512
	c.in = append(c.in, make([]byte, step)...)
	old := len(c.in) - step
	n, err := retry(func() (int, error) { return unix.Read(c.fd, c.in[old:]) })
	c.in = c.in[:old+max(n, 0)]
	if errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("nothing came for %s", dialTimeout)
	}
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (c *Conn) write(b []byte) error {
	for len(b) > 0 {
		n, err := retry(func() (int, error) { return unix.Write(c.fd, b) })
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func closeError(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("server closed the connection")
	}
	return fmt.Errorf("server closed the connection: %d %s", int(payload[0])<<8|int(payload[1]), payload[2:])
}
