package conformance

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// open connects, upgrades unless the step wants bare TCP, and awaits the greeting.
func (r *runner) open(s step) error {
	if r.sockets[s.Conn] != nil {
		return fmt.Errorf("connection %q is open already", s.Conn)
	}
	addr := r.addr(s.Conn)
	socket, err := dial(addr)
	if err != nil {
		r.say("%s ! refused", s.Conn)
		return err
	}
	r.sockets[s.Conn] = socket
	if s.Do == "tcp" {
		if s.Raw != "" {
			socket.write([]byte(s.Raw))
		}
		return nil
	}
	frames, err := r.join(s.Frames...)
	if err != nil {
		return err
	}
	key := handshakeKey()
	socket.write(append([]byte(upgradeRequest(s, addr, key)), frames...))
	if r.upgraded(socket, s, key) {
		r.say("%s connected", s.Conn)
		return r.expect(socket, step{Conn: s.Conn, Within: s.Within})
	}
	return nil
}

// upgraded reads the answer to the handshake and writes down what a scenario shows of it.
func (r *runner) upgraded(socket *socket, s step, key string) bool {
	deadline := r.deadline(s)
	head, err := socket.head(deadline)
	if err != nil {
		end := "then still open"
		if err == io.EOF {
			end = "then tcp closed"
		}
		r.say("%s ! no HTTP reply; bytes hex:%x %s", s.Conn, socket.unread, end)
		return false
	}
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	if lines[0] != "HTTP/1.1 101 Switching Protocols" {
		r.sayRefusal(s, lines)
		r.sayEnd(socket, s.Conn, socket.drain(deadline), "still open", s.wait())
		return false
	}
	const acceptName = "Sec-WebSocket-Accept: " // spelled like this to the byte, protocol 2.4
	accept := slices.Index(lines, acceptName+acceptOf(key))
	if accept > 0 {
		lines[accept] = acceptName + "<valid>"
	}
	if s.Show {
		for _, line := range lines {
			r.say("%s <- http %s", s.Conn, line)
		}
	}
	if accept < 0 {
		r.say("%s ! no valid Sec-WebSocket-Accept in %q", s.Conn, head)
	}
	return accept > 0
}

// sayRefusal writes down the status and the one header that is part of what it says. Whoever asks
// in HTTP/1.0 may be answered in it.
func (r *runner) sayRefusal(s step, lines []string) {
	_, status, _ := strings.Cut(lines[0], " ")
	r.say("%s <- http %s", s.Conn, status)
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "Allow:") {
			r.say("%s <- http %s", s.Conn, line)
		}
	}
}

// probe ends a transcript: a fresh connection must still be greeted.
func (r *runner) probe() {
	probe := runner{addr: r.addr, patience: r.patience, sockets: map[string]*socket{}}
	if err := probe.open(step{Do: "connect", Conn: "probe"}); err != nil {
		r.say("probe: router DEAD (%v)", err)
		return
	}
	defer probe.sockets["probe"].close()
	if len(probe.lines) == 2 && strings.Contains(probe.lines[1], `"status_code":407`) {
		r.say("probe: router alive")
		return
	}
	r.say("probe: router DEAD (%s)", strings.Join(probe.lines, "; "))
}

// handshakeKey returns a fresh Sec-WebSocket-Key.
func handshakeKey() string {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	return base64.StdEncoding.EncodeToString(key[:])
}

// acceptOf is the answer that RFC 6455 section 4.2.2 prescribes for key.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// upgradeRequest returns the request of a connect step.
func upgradeRequest(s step, addr, key string) string {
	if s.Raw != "" {
		return strings.ReplaceAll(s.Raw, "{key}", key)
	}
	path := s.Path
	if path == "" {
		path = "/"
	}
	headers := []string{
		"Host: " + addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13",
	}
	headers = slices.DeleteFunc(headers, func(header string) bool {
		name, _, _ := strings.Cut(header, ":")
		return slices.Contains(s.DropHeaders, name)
	})
	lines := slices.Concat([]string{"GET " + path + " HTTP/1.1"}, headers, s.Headers)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func TestAcceptOf(t *testing.T) {
	// The example of RFC 6455 section 1.3.
	if got := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("accept is %s", got)
	}
}

func TestUpgradeRequest(t *testing.T) {
	for name, c := range map[string]struct {
		step step
		want string
	}{
		"plain": {step{}, "GET / HTTP/1.1|Host: a:1|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: KEY|Sec-WebSocket-Version: 13||"},
		"headers of its own": {
			step{Path: "/x?y=1", DropHeaders: []string{"Host", "Sec-WebSocket-Key"}, Headers: []string{"Host: b", "Cookie: a=b"}},
			"GET /x?y=1 HTTP/1.1|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|Host: b|Cookie: a=b||",
		},
		"raw": {step{Raw: "POST / HTTP/1.0\r\nSec-WebSocket-Key:{key}\r\n\r\n"}, "POST / HTTP/1.0|Sec-WebSocket-Key:KEY||"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.ReplaceAll(upgradeRequest(c.step, "a:1", "KEY"), "\r\n", "|"); got != c.want {
				t.Fatalf("request is %s, want %s", got, c.want)
			}
		})
	}
}
