package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// stage is a fake daemon with one script: what it writes to every connection behind the handshake,
// and whether it hangs up then.
type stage struct {
	response string // {accept} stands for the right answer to the key; "" for none at all
	script   string
	hangUp   bool
}

const (
	upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
	greeting        = "\x81\x13{\"status_code\":407}"
	greetingLine    = `a <- text {"status_code":407}`
	alive           = "probe: router alive"
)

// open starts the stage on loopback until t ends and returns its address.
func (st stage) open(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { st.act(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

// act serves one connection up to its end.
func (st stage) act(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	response := strings.ReplaceAll(st.response, "{accept}", acceptOf(request.Header.Get("Sec-WebSocket-Key")))
	if _, err := fmt.Fprint(conn, response, st.script); err != nil || st.hangUp {
		return
	}
	_, _ = io.Copy(io.Discard, reader) // until the other side hangs up
}

func TestPlay(t *testing.T) {
	connect := step{Do: "connect", Conn: "a", Within: 300}
	none := step{Do: "none", Conn: "a", Within: 50}
	expect := step{Do: "expect", Conn: "a", Within: 50}
	expectClose := step{Do: "expect_close", Conn: "a", Within: 50}
	exactClose := step{Do: "expect_close", Conn: "a", Within: 300, Exact: true}
	const twoCloses = "\x88\x02\x03\xe8\x88\x00"
	for name, c := range map[string]struct {
		stage stage
		steps []step
		want  []string // behind "a connected" and the greeting
	}{
		"quiet":               {stage{script: greeting}, []step{none}, []string{"a quiet", alive}},
		"not quiet":           {stage{script: greeting + "\x8a\x01p"}, []step{none}, []string{"a <- pong hex:70", alive}},
		"nothing":             {stage{script: greeting}, []step{expect}, []string{"a ! nothing after 50 ms", alive}},
		"one of two":          {stage{script: greeting + "\x8a\x00"}, []step{{Do: "expect", Conn: "a", N: 2, Within: 50}}, []string{"a <- pong hex:", "a ! nothing after 50 ms", alive}},
		"stays open":          {stage{script: greeting + "\x88\x00"}, []step{expectClose}, []string{"a <- close", "a ! still open after 50 ms", alive}},
		"closes by turns":     {stage{script: greeting + twoCloses, hangUp: true}, []step{exactClose}, []string{"a <- close hex:03e8", "a <- close hex:", "a <- tcp closed", alive}},
		"closes":              {stage{script: greeting + twoCloses, hangUp: true}, []step{{Do: "expect_close", Conn: "a"}}, []string{"a <- close", "a <- tcp closed", alive}},
		"close while quiet":   {stage{script: greeting + twoCloses, hangUp: true}, []step{none}, []string{"a <- close hex:03e8", "a <- close hex:", "a <- tcp closed", alive}},
		"closed before":       {stage{script: greeting, hangUp: true}, []step{exactClose, expect, none}, []string{"a <- tcp closed", "a ! tcp closed before", "a ! tcp closed before", alive}},
		"half a frame":        {stage{script: greeting + "\x81\x05he", hangUp: true}, []step{exactClose}, []string{"a ! tcp closed behind hex:81056865", alive}},
		"part of a frame":     {stage{script: greeting + "\x81\x05he"}, []step{none}, []string{"a ! part of a frame hex:81056865", alive}},
		"masked frame":        {stage{script: greeting + "\x81\x80"}, []step{expect}, []string{"a ! a server's frame is masked", alive}},
		"our own drop":        {stage{script: greeting}, []step{{Do: "drop", Conn: "a"}, exactClose}, []string{"a <- tcp closed", alive}},
		"capture":             {stage{script: greeting + "\x81\x09{\"f\":\"v\"}"}, []step{{Do: "expect", Conn: "a", Capture: map[string]string{"x": "f"}}, {Do: "send", Conn: "a", Text: "${x}"}}, []string{`a <- text {"f":"v"}`, alive}},
		"nothing captured":    {stage{script: greeting}, []step{{Do: "expect", Conn: "a", Within: 50, Capture: map[string]string{"x": "f"}}, {Do: "send", Conn: "a", Text: "${x}"}}, []string{"a ! nothing after 50 ms", "! step 3, send: ${x} has no value: no such token, or an answer that never came"}},
		"unknown step":        {stage{script: greeting}, []step{{Do: "dance", Conn: "a"}}, []string{"! step 2, dance: no such step"}},
		"unknown connection":  {stage{script: greeting}, []step{{Do: "drop", Conn: "b"}}, []string{`! step 2, drop: connection "b" was never opened`}},
		"connection is there": {stage{script: greeting}, []step{connect}, []string{`! step 2, connect: connection "a" is open already`}},
		"unknown token":       {stage{script: greeting}, []step{{Do: "auth", Conn: "a", Token: "t"}}, []string{`! step 2, auth: token "t" was never written`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.stage.response = upgradeResponse
			got := play(at(c.stage.open(t)), t.TempDir(), 0, append([]step{connect}, c.steps...))
			want := append([]string{"a connected", greetingLine}, c.want...)
			if !slices.Equal(got, want) {
				t.Fatal(compare(want, got))
			}
		})
	}
}

func TestPlayHandshake(t *testing.T) {
	shown := step{Do: "connect", Conn: "a", Within: 100, Show: true}
	const notAlive = "probe: router DEAD "
	for name, c := range map[string]struct {
		stage stage
		want  []string // a prefix in the last line
	}{
		"upgraded": {stage{response: upgradeResponse, script: greeting}, []string{
			"a <- http HTTP/1.1 101 Switching Protocols", "a <- http Upgrade: websocket", "a <- http Connection: Upgrade",
			"a <- http Sec-WebSocket-Accept: <valid>", "a connected", greetingLine, alive}},
		"refused and closed": {stage{response: "HTTP/1.0 405 Method Not Allowed\r\nDate: now\r\nAllow: GET\r\n\r\n", script: "text", hangUp: true},
			[]string{"a <- http 405 Method Not Allowed", "a <- http Allow: GET", "a <- tcp closed", notAlive}},
		"refused and open": {stage{response: "HTTP/1.1 400 Bad Request\r\n\r\n"},
			[]string{"a <- http 400 Bad Request", "a ! still open after 100 ms", notAlive}},
		"no reply, closed": {stage{response: "\x88\x00", hangUp: true}, []string{"a ! no HTTP reply; bytes hex:8800 then tcp closed", notAlive}},
		"no reply, open":   {stage{}, []string{"a ! no HTTP reply; bytes hex: then still open", notAlive}},
		"header misspelt": {stage{response: strings.Replace(upgradeResponse, "WebSocket", "Websocket", 1)},
			[]string{"a <- http HTTP/1.1 101 Switching Protocols", "a <- http Upgrade: websocket", "a <- http Connection: Upgrade",
				"a <- http Sec-Websocket-Accept: ", "a ! no valid Sec-WebSocket-Accept in ", notAlive}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := play(at(c.stage.open(t)), t.TempDir(), 0, []step{shown})
			if !slices.EqualFunc(c.want, got, func(want, got string) bool { return strings.HasPrefix(got, want) }) {
				t.Fatal(compare(c.want, got))
			}
		})
	}
}

func TestPlayWithoutDaemon(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	got := play(at(addr), t.TempDir(), 0, nil)
	if len(got) != 1 || !strings.HasPrefix(got[0], "probe: router DEAD") {
		t.Fatalf("transcript %q", got)
	}
}
