package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxInterim is how many interim answers (100 to 199, but 101) may come before the answer.
const maxInterim = 16

// answered is a connection on which the answer to the upgrade request is yet to come. It reads and
// checks the answer, within a limit of bytes, and gives the WebSocket library one in plain form: the
// library knows no limit, no interim answers and only the first of several Connection lines.
type answered struct {
	net.Conn
	limit        int      // bytes of the answer's head and of the interim answers before it
	subprotocols []string // those that the request offers

	from io.Reader // what the library reads; nil: the answer has not been read
	err  error     // why the answer is not good
}

// Read reads the answer at the first call.
func (a *answered) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	if a.from == nil {
		if a.from, a.err = a.answer(); a.err != nil {
			return 0, a.err
		}
	}
	return a.from.Read(p)
}

// answer returns a plain answer and what follows it. The error is a *StatusError if the router or a
// proxy refuses the upgrade.
func (a *answered) answer() (io.Reader, error) {
	bounded := &io.LimitedReader{R: a.Conn, N: int64(a.limit)}
	br := bufio.NewReader(bounded)
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(br, nil) //nolint:bodyclose // only the head is read, and a refused connection is closed
		switch {
		case err != nil && bounded.N <= 0:
			return nil, fmt.Errorf("answer to the upgrade is longer than Limits.HeaderBytes, %d bytes", a.limit)
		case err != nil:
			return nil, fmt.Errorf("read answer to the upgrade: %w", parseError(err))
		case resp.StatusCode == http.StatusSwitchingProtocols:
			head, err := a.plain(resp.Header)
			if err != nil {
				return nil, fmt.Errorf("answer to the upgrade: %w", err)
			}
			// The limit may be met by what follows the head. The rest comes from the connection.
			early, _ := br.Peek(br.Buffered())
			return io.MultiReader(bytes.NewReader(head), bytes.NewReader(early), a.Conn), nil
		case resp.StatusCode < 100 || resp.StatusCode > 199:
			return nil, &StatusError{Code: resp.StatusCode, Status: http.StatusText(resp.StatusCode), Detail: a.detail(resp)}
		}
	}
	return nil, fmt.Errorf("more than %d interim answers to the upgrade", maxInterim)
}

// detailWait is how long the client waits for the body of a refusal, in which the router and proxies name
// the cause.
const detailWait = time.Second

// detail returns the beginning of a refusal's body, or what came of it in time.
func (a *answered) detail(resp *http.Response) string {
	if err := a.SetReadDeadline(time.Now().Add(detailWait)); err != nil {
		return ""
	}
	// The error does not matter: what came before it is all there is.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, excerptBytes+1))
	return excerpt(string(body))
}

// plain checks the header of an answer (RFC 6455, section 4.1) and returns the head that the library
// gets. The library itself compares the key.
func (a *answered) plain(h http.Header) ([]byte, error) {
	if !contains(h, "Connection", "Upgrade") {
		return nil, errors.New("no Upgrade in the Connection header")
	}
	if !contains(h, "Upgrade", "websocket") {
		return nil, errors.New("no websocket in the Upgrade header")
	}
	if extensions := h.Values("Sec-Websocket-Extensions"); len(extensions) > 0 {
		return nil, fmt.Errorf("extension %s was not offered", quote(extensions[0]))
	}
	accept := h.Values("Sec-Websocket-Accept")
	if len(accept) != 1 {
		return nil, fmt.Errorf("%d Sec-WebSocket-Accept headers, want one", len(accept))
	}
	head := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + accept[0] + "\r\n"
	for _, chosen := range h.Values("Sec-Websocket-Protocol") {
		if !slices.Contains(a.subprotocols, chosen) {
			return nil, fmt.Errorf("subprotocol %s was not offered", quote(chosen))
		}
		head += "Sec-WebSocket-Protocol: " + chosen + "\r\n"
	}
	return []byte(head + "\r\n"), nil
}

// contains reports whether one of the comma separated elements of a header, in however many lines, is
// token in any case.
func contains(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for element := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(element), token) {
				return true
			}
		}
	}
	return false
}

// offered returns the subprotocols that a request with this header offers.
func offered(h http.Header) []string {
	var names []string
	for _, line := range h.Values("Sec-Websocket-Protocol") {
		for element := range strings.SplitSeq(line, ",") {
			names = append(names, strings.TrimSpace(element))
		}
	}
	return names
}
