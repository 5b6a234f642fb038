package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	wire "encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// ceiling is what a daemon may take whose machine allows it so much: its own limit is nine tenths of that.
const ceiling = 256 << 20

// crammed is a daemon whose memory is limited.
type crammed struct {
	*daemontest.Daemon
	t       *testing.T
	pid     int
	open    []net.Conn
	sending sync.WaitGroup
}

// startCrammed builds a daemon without the race detector, which takes much memory itself, and starts it.
func startCrammed(t *testing.T) *crammed {
	t.Helper()
	dir, path := t.TempDir(), os.Getenv("STROWGER_BINARY")
	if path == "" {
		path = filepath.Join(dir, "strowger")
		if out, err := exec.Command("go", "build", "-o", path, "strowger/cmd/strowger").CombinedOutput(); err != nil {
			t.Fatalf("build daemon: %v\n%s", err, out)
		}
	}
	tokens, file := filepath.Join(dir, "tokens"), filepath.Join(dir, "strowger.yaml")
	settings := fmt.Sprintf(`
listen: {address: "127.0.0.1:0", http: true}
admin: {address: ""}
memory: {limit: %d, trim_interval: 1s}
tokens: {directory: %q}
routing: {default_policy: allow, instances: failover, request_timeout: 5s}
http: {idempotency_lifetime: 5s}
policies:
  diary: {scopes: [{to: all}], history: {bytes: 128MiB, age: 5s}}
`, ceiling/10*9, tokens)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := daemontest.Command(path, "serve", "--config", file)
	d, err := daemontest.Start(cmd, tokens)
	if err != nil {
		t.Fatal(err)
	}
	c := &crammed{Daemon: d, t: t, pid: cmd.Process.Pid}
	t.Cleanup(func() {
		c.hangUp()
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// memory returns a line of the kernel's about the process, in bytes.
func (c *crammed) memory(line string) int {
	c.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		c.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\n"+line+":")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		c.t.Fatal(err)
	}
	return n << 10
}

// dial connects. The kernel holds little of what comes for the connection.
func (c *crammed) dial() net.Conn {
	c.t.Helper()
	d := net.Dialer{Timeout: deadline, Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
	}}
	conn, err := d.Dial("tcp", c.Addr)
	if err != nil {
		c.t.Fatal(err)
	}
	c.open = append(c.open, conn)
	return conn
}

// hangUp ends all connections.
func (c *crammed) hangUp() {
	for _, conn := range c.open {
		_ = conn.Close()
	}
	c.sending.Wait()
	c.open = nil
}

func (c *crammed) token(spec token.Spec) *token.Token {
	c.t.Helper()
	made, _, err := token.Create(c.TokenDir, spec, token.JSON)
	if err != nil {
		c.t.Fatal(err)
	}
	return made
}

// socket is a connection that speaks the protocol.
type socket struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (c *crammed) socket() *socket {
	c.t.Helper()
	s := &socket{c.dial(), c.t, nil}
	s.r = bufio.NewReader(s.Conn)
	fmt.Fprintf(s, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", c.Addr)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = s.r.ReadString('\n'); err != nil {
			c.t.Fatal(err)
		}
	}
	s.next() // 407
	return s
}

// login returns a connection of a client, or of a service if the spec names one.
func (c *crammed) login(spec token.Spec) *socket {
	c.t.Helper()
	s, made := c.socket(), c.token(spec)
	s.say(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash))
	if got := s.next(); !bytes.Contains(got, []byte(`"status_code":200`)) {
		c.t.Fatalf("not let in: %s", got)
	}
	return s
}

// say sends a message. A router that does not read any more is no error of the test.
func (s *socket) say(text string) error {
	_, err := s.Write(textFrame(text))
	return err
}

// textFrame returns a message as a client sends it, with a key that changes nothing.
func textFrame(text string) []byte {
	b := []byte{0x81}
	switch n := len(text); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = wire.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = wire.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

// read returns the payload of the next message.
func (s *socket) read() ([]byte, error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.r, head[:]); err != nil {
			return nil, err
		}
		n := uint64(head[1])
		if size := map[uint64]int{126: 2, 127: 8}[n]; size > 0 {
			long := make([]byte, 8)
			if _, err := io.ReadFull(s.r, long[8-size:]); err != nil {
				return nil, err
			}
			n = wire.BigEndian.Uint64(long)
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(s.r, payload); err != nil {
			return nil, err
		}
		if head[0] == 0x81 {
			return payload, nil
		}
	}
}

func (s *socket) next() []byte {
	s.t.Helper()
	payload, err := s.read()
	if err != nil {
		s.t.Fatal(err)
	}
	return payload
}

// asked is a request as a service gets it.
type asked struct {
	RequestID  json.RawMessage `json:"request_id"`
	ResourceID json.RawMessage `json:"resource_id"`
}

// offer has a service answer each request with what answer returns, nothing if that is empty.
func (c *crammed) offer(name string, answer func() string) *socket {
	s := c.login(token.Spec{Kind: token.Service, ServiceName: name, ServiceClass: name + "_service"})
	c.sending.Go(func() {
		for {
			text, err := s.read()
			if err != nil {
				return
			}
			var m asked
			if payload := answer(); payload != "" && json.Unmarshal(text, &m) == nil {
				if s.say(fmt.Sprintf(`{"service_name":%q,"topic":"t","status_code":200,"request_id":%s,"resource_id":%s,"payload":%q}`, name, m.RequestID, m.ResourceID, payload)) != nil {
					return
				}
			}
		}
	})
	return s
}

// flood sends messages until they are sent or the connection ends or is not read for a while.
func (c *crammed) flood(conn net.Conn, messages int, message []byte) {
	_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	c.sending.Go(func() {
		for range messages {
			if _, err := conn.Write(message); err != nil {
				return
			}
		}
	})
}

// byHTTP begins a request of a user by HTTP.
func (c *crammed) byHTTP(method, path, head string, services ...string) net.Conn {
	made := c.token(token.Spec{Kind: token.User, Services: services})
	conn := c.dial()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\n%s\r\n", method, path, c.Addr,
		base64.StdEncoding.EncodeToString([]byte(made.Name+":"+made.Hash)), head)
	return conn
}

// The floods that fill each queue that a peer can fill.
func (c *crammed) floods() map[string]func() {
	user := func(services ...string) *socket { return c.login(token.Spec{Kind: token.User, Services: services}) }
	long := strings.Repeat("x", 900<<10)
	return map[string]func(){
		"strangers": func() {
			for range 1000 {
				part := textFrame(strings.Repeat("x", 8000))
				c.flood(c.socket(), 1, part[:len(part)-1])
			}
		},
		"open requests": func() {
			for range 25 {
				c.flood(user(), 1024, textFrame(`{"service":"mute","topic":"t","request_id":"r","payload":"`+long[:4000]+`"}`))
			}
		},
		"open requests that are kept whole": func() {
			for range 25 {
				c.flood(user(), 8, textFrame(`{"service":"mute","topic":"t","request_id":"r","payload":"`+long+`"}`))
			}
		},
		"messages without an end": func() {
			for range 150 {
				part := textFrame(long)
				c.flood(user(), 1, part[:len(part)-1])
			}
		},
		"bodies without an end": func() {
			for range 150 {
				c.flood(c.byHTTP("POST", "/request", fmt.Sprintf("Content-Length: %d\r\n", len(long)+1)), 1, []byte(long))
			}
		},
		"readers that do not read": func() {
			for range 40 {
				user("news")
				c.byHTTP("GET", "/events", "", "news")
			}
			c.flood(c.offer("news", func() string { return "" }), 40, textFrame(`{"service_name":"news","topic":"t","payload":"`+long+`"}`))
		},
		"long answers that nobody reads": func() {
			answer := strings.Repeat("y", 12<<20)
			c.offer("long", func() string { return answer })
			for range 20 {
				c.flood(user(), 1, textFrame(`{"service":"long","topic":"t","request_id":"r"}`))
			}
		},
		"history": func() {
			c.flood(c.offer("diary", func() string { return "" }), 150, textFrame(`{"service_name":"diary","topic":"t","payload":"`+long+`"}`))
		},
		"answers that are kept for their keys": func() {
			c.offer("middling", func() string { return long })
			for n := range 60 {
				const body = `{"service":"middling","topic":"t"}`
				conn := c.byHTTP("POST", "/request", fmt.Sprintf("Connection: close\r\nIdempotency-Key: k%d\r\nContent-Length: %d\r\n", n, len(body)))
				c.flood(conn, 1, []byte(body))
				_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				c.sending.Go(func() { _, _ = io.Copy(io.Discard, conn) })
			}
		},
	}
}

// TestEveryQueueIsFull fills all that a peer can fill at once, in a daemon whose memory is limited. It stays within that,
// answers others all the time, and gives back what it took.
func TestEveryQueueIsFull(t *testing.T) {
	c := startCrammed(t)
	c.offer("mute", func() string { return "" })
	c.offer("echo", func() string { return "here" })
	bystander := c.login(token.Spec{Kind: token.User})
	if err := bystander.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	ask := func() {
		t.Helper()
		_ = bystander.say(`{"service":"echo","topic":"t","request_id":"q"}`)
		if got := bystander.next(); !bytes.Contains(got, []byte(`"here"`)) {
			t.Fatalf("the bystander gets %.200s", got)
		}
	}
	ask()
	base := c.memory("RssAnon")
	peak := base // of what the process has written to: the kernel can take the rest back
	look := func() int {
		now := c.memory("RssAnon")
		peak = max(peak, now)
		return now
	}
	for name, flood := range c.floods() {
		flood()
		ask()
		t.Logf("%s: %d MiB", name, look()>>20)
	}
	for end := time.Now().Add(12 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ask()
		look()
	}
	t.Logf("from %d MiB to %d MiB at most", base>>20, peak>>20)
	if peak > ceiling {
		t.Errorf("the daemon has taken %d MiB, want %d at most", peak>>20, ceiling>>20)
	}
	c.hangUp()
	last := 0
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if last = c.memory("RssAnon"); last < base+64<<20 {
			return
		}
	}
	t.Errorf("the daemon keeps %d MiB, and had %d before", last>>20, base>>20)
}
