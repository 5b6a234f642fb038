package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/lxzan/gws"

	"strowger/actors/refusals"
)

// refusal is a handshake answered with an HTTP status.
type refusal struct {
	status int
	reason string
	cause  refusals.Cause
	err    error  // what the parser said; nil: nothing
	header string // more header lines, without the last line's end
}

func (r *refusal) Error() string { return fmt.Sprintf("handshake refused: %d %s", r.status, r.reason) }

// readRequest reads the opening request of conn out of from, within the limits. Path, version,
// subprotocols and extensions are ignored, because the PHP router ignores them and clients in the field depend on
// it. What is returned is what the WebSocket library wants to see, also with the error if the request could be read
// but is refused.
func readRequest(conn net.Conn, from io.Reader, br *bufio.Reader, o *opening) (*http.Request, error) {
	l := o.limits
	if o.late {
		return nil, noRequestInTime()
	}
	// TLS writes too.
	if err := conn.SetDeadline(o.due); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	bounded := &io.LimitedReader{R: from, N: int64(l.HeaderBytes)}
	head := &rawHead{}
	br.Reset(io.TeeReader(bounded, head))
	skipEmptyLines(br)
	r, err := http.ReadRequest(br)
	switch {
	case err != nil && bounded.N <= 0 && !head.ended:
		return nil, &refusal{status: http.StatusRequestHeaderFieldsTooLarge, cause: refusals.HeaderBytes, reason: fmt.Sprintf("request header over %d bytes", l.HeaderBytes)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("read request: %w", err)
	case isTimeout(err), err != nil && !time.Now().Before(o.due):
		// A line that the deadline cut is malformed in the parser's eyes.
		return nil, noRequestInTime()
	case isNetwork(err):
		return nil, fmt.Errorf("read request: %w", err)
	case err != nil:
		return nil, &refusal{status: http.StatusBadRequest, reason: "malformed request", err: err}
	}
	if err := checkRequest(r, head, l); err != nil {
		return r, err
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Del("Sec-WebSocket-Protocol")
	if !l.Compression {
		r.Header.Del("Sec-WebSocket-Extensions")
	}
	return r, conn.SetDeadline(time.Time{})
}

func noRequestInTime() *refusal {
	return &refusal{status: http.StatusRequestTimeout, cause: refusals.HeaderTimeout, reason: "no request in time"}
}

// skipEmptyLines reads the empty lines before a request line, which RFC 9112, section 2.2, has a server ignore. They
// count in the limits of the head. An error comes again at the next read.
func skipEmptyLines(br *bufio.Reader) {
	for {
		if p, err := br.Peek(2); err != nil || string(p) != "\r\n" {
			return
		}
		_, _ = br.Discard(2)
	}
}

// shake returns the answer to the request, which is not written yet, and what the peer sent after its
// headers. The library's connection is let go again: reading and writing are ours.
func shake(u *gws.Upgrader, conn net.Conn, request *http.Request, br *bufio.Reader) (answer, early []byte, err error) {
	if n := br.Buffered(); n > 0 {
		p, _ := br.Peek(n)
		early = slices.Clone(p)
	}
	kept := &keptConn{Conn: conn}
	if _, err := u.UpgradeFromConn(kept, br, request); err != nil {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write(kept.written)
		return nil, nil, fmt.Errorf("upgrade: %w", err)
	}
	return kept.written, early, nil
}

// keptConn keeps what is written to it.
type keptConn struct {
	net.Conn
	written []byte
}

func (c *keptConn) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return len(p), nil
}

// SetDeadline is for writes, which never wait.
func (c *keptConn) SetDeadline(time.Time) error { return nil }

// Close leaves it to the caller, who may have something to write.
func (c *keptConn) Close() error { return nil }

// refuse answers a failed handshake, if there is anybody to answer, and hangs up.
func refuse(conn net.Conn, err error) {
	var r *refusal
	if errors.As(err, &r) {
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write(r.response())
		linger(conn, time.Second)
	}
	_ = conn.Close()
}

// response returns the refusal as HTTP.
func (r *refusal) response() []byte {
	header := ""
	if r.header != "" {
		header = r.header + "\r\n"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		r.status, http.StatusText(r.status), header, len(r.reason)+1, r.reason)
}

// linger lets the peer read our last words: closing with unread input would reset the connection.
func linger(conn net.Conn, patience time.Duration) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
}

// isNetwork reports whether err is the connection's end, and not what was read from it.
func isNetwork(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok || errors.Is(err, net.ErrClosed)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
