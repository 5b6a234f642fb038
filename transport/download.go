package transport

import (
	"bytes"
	"net"
	"net/http"
	"time"
)

// download is the answer to a request for a file, which is no handshake and no refusal.
type download struct{ answer *http.Response }

func (*download) Error() string { return "a file was asked for" }

// asksForFile returns the answer to a request for a file that is served beside the sockets, nil for any other. A request
// that has part of a handshake asks for a socket, whatever its path is (protocol 2.2).
func asksForFile(r *http.Request, l *Limits) *http.Response {
	if l.File == nil || r.Header.Get("Upgrade") != "" || r.Header.Get("Sec-WebSocket-Key") != "" {
		return nil
	}
	return l.File(r)
}

// send writes the answer and hangs up. The peer has as long to read it as it has for a request. The connection has not
// authenticated meanwhile, and gives way to others as any such connection does.
func (d *download) send(conn net.Conn, l *Limits) {
	defer d.answer.Body.Close()
	d.answer.Close = true
	var b bytes.Buffer
	if err := d.answer.Write(&b); err != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(l.HeaderTimeout))
	if _, err := conn.Write(b.Bytes()); err == nil {
		linger(conn, time.Second)
	}
}
