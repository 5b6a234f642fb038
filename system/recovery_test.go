package system

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/lxzan/gws"

	"strowger/config"
	"strowger/config/policy"
	"strowger/system/token"
)

// cutter is a proxy that cuts its connections when it is told to.
type cutter struct {
	addr string

	mu    sync.Mutex // Protects following.
	conns []net.Conn
}

func startCutter(t *testing.T, to string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{addr: listener.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			pass := func(from, to net.Conn) {
				_, _ = io.Copy(to, from)
				_ = to.Close()
			}
			running.Go(func() { pass(near, far) })
			running.Go(func() { pass(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		running.Wait()
	})
	return c
}

// cut ends every connection, what is under way included.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	c.conns = nil
}

// rover is a client that comes back after each cut and says where it was.
type rover struct {
	gws.BuiltinEventHandler
	last     int
	mint     func() (name, hash string)
	resume   bool   // it asks for tickets and comes back with them
	ticket   string // the latest
	at       string // its position as JSON
	admitted chan<- bool

	heard   []int
	gaps    []int // how much it had heard when it was told that it missed something
	cuts    int
	failure error
}

// live connects until the last number has come.
func (r *rover) live(addr string) {
	for first := true; len(r.heard) == 0 || r.heard[len(r.heard)-1] != r.last; first = false {
		conn, _, err := gws.NewClient(r, &gws.ClientOption{Addr: "ws://" + addr + "/"})
		if err != nil {
			continue // cut during the handshake
		}
		name, hash, more := "resume", r.ticket, ""
		if r.resume {
			more = `,"resume":true`
		}
		if r.ticket == "" {
			name, hash = r.mint()
		}
		history := `{}`
		if !first {
			history = `{"numbers":` + r.at + `}`
		}
		if conn.WriteString(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"history":%s%s}}`, name, hash, history, more)) == nil {
			conn.ReadLoop()
			r.cuts++
		}
		_ = conn.NetConn().Close()
	}
}

func (r *rover) OnMessage(conn *gws.Conn, m *gws.Message) {
	var e struct {
		Code    json.RawMessage `json:"status_code"`
		Payload json.RawMessage `json:"payload"`
		Epoch   string          `json:"epoch"`
		Offset  int64           `json:"offset"`
	}
	if err := json.Unmarshal(m.Bytes(), &e); err != nil {
		r.failure = err
		return
	}
	position := func(epoch string, offset int64) {
		r.at = `null`
		if epoch != "" {
			r.at = fmt.Sprintf(`{"epoch":%q,"offset":%d}`, epoch, offset)
		}
	}
	switch string(e.Code) {
	case "407":
	case "200":
		var said struct {
			History map[string]struct {
				Epoch     string
				Offset    int64
				Recovered *bool
			}
			Resume struct{ Ticket string }
		}
		if err := json.Unmarshal(e.Payload, &said); err != nil {
			r.failure = err
		}
		r.ticket = said.Resume.Ticket
		now := said.History["numbers"]
		position(now.Epoch, now.Offset)
		if now.Recovered != nil && !*now.Recovered {
			r.gaps = append(r.gaps, len(r.heard))
		}
		r.admitted <- true
	case `""`:
		var n int
		if err := json.Unmarshal(e.Payload, &n); err != nil {
			r.failure = err
		}
		r.heard = append(r.heard, n)
		if n == r.last {
			_ = conn.NetConn().Close()
		}
		position(e.Epoch, e.Offset)
	default:
		r.failure = fmt.Errorf("got %s", m.Bytes())
	}
}

// rove has a service say count numbers while a client's connection is cut so many times, and returns the client.
func rove(t *testing.T, history policy.History, count, cuts int, live func(*rover, string), change ...func(*config.Config, *rover)) *rover {
	cfg := testConfig(t)
	cfg.Listen.HTTP = true
	cfg.Policies = map[string]policy.Policy{"numbers_service": {Scopes: []policy.Scope{{To: policy.All}}, History: history}}
	admitted := make(chan bool, 1)
	r := &rover{last: count - 1, admitted: admitted, at: `null`, mint: func() (string, string) {
		made := mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User, DomainName: "a.example", Services: []string{"numbers"}})
		return made.Name, made.Hash
	}}
	for _, f := range change {
		f(cfg, r)
	}
	s := start(t, cfg)
	speaker := join(t, s, remote("numbers", "numbers_service"))
	proxy := startCutter(t, s.Addr().String())
	over := make(chan struct{})
	go func() {
		defer close(over)
		live(r, proxy.addr)
	}()
	random := rand.New(rand.NewPCG(7, 11))
	said := 0
	say := func(n int) {
		for ; n > 0 && said < count-1; n-- {
			speaker.sendf(`{"service":"numbers","payload":%d}`, said)
			said++
		}
	}
	<-admitted
	for range cuts {
		before := random.IntN(count/cuts + 1)
		say(before)
		proxy.cut()
		say(count/cuts - before)
		<-admitted
	}
	// The client is connected, so the last number comes.
	speaker.sendf(`{"service":"numbers","payload":%d}`, count-1)
	<-over
	if r.failure != nil {
		t.Fatal(r.failure)
	}
	if r.cuts < cuts {
		t.Errorf("the connection was cut %d times, want %d", r.cuts, cuts)
	}
	return r
}

// With a history a client that is cut off all the time hears everything once and in order.
func TestNothingLostOverCuts(t *testing.T) {
	const count = 10_000
	r := rove(t, policy.History{Messages: count, Bytes: 16 << 20}, count, 200, (*rover).live)
	for i, n := range r.heard {
		if i != n {
			t.Fatalf("heard %d in place of %d", n, i)
		}
	}
	if len(r.heard) != count || len(r.gaps) > 0 {
		t.Errorf("heard %d numbers of %d, was told of %d gaps", len(r.heard), count, len(r.gaps))
	}
}

// Without a history, or with one that is too short, the client hears of each loss.
func TestEachLossIsToldOverCuts(t *testing.T) {
	for name, history := range map[string]policy.History{"none": {}, "short": {Messages: 10}} {
		t.Run(name, func(t *testing.T) {
			const count = 2000
			r := rove(t, history, count, 40, (*rover).live)
			told := map[int]bool{}
			for _, at := range r.gaps {
				told[at] = true
			}
			lost := 0
			for i, n := range r.heard {
				expected := 0
				if i > 0 {
					expected = r.heard[i-1] + 1
				}
				if n == expected {
					continue
				}
				lost++
				if n < expected || !told[i] {
					t.Fatalf("heard %d in place of %d without being told", n, expected)
				}
			}
			if lost == 0 {
				t.Error("nothing was lost, so nothing was tested")
			}
		})
	}
}

// An open connection that asked for nothing, on a name with a history, gets what it got before.
func TestNothingNewWithoutAsking(t *testing.T) {
	cfg := testConfig(t)
	cfg.Policies = map[string]policy.Policy{"numbers_service": {Scopes: []policy.Scope{{To: policy.All}}, History: policy.History{Messages: 10}}}
	s := start(t, cfg)
	speaker := join(t, s, remote("numbers", "numbers_service"))
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	made := mint(t, cfg.Tokens.Directory, user("a.example", nil, "numbers"))
	text := fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{}}`, made.Name, made.Hash)
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	_, _ = conn.Write(append([]byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}, text...))
	reader := bufio.NewReader(conn)
	until := func(words string) string {
		var got strings.Builder
		for !strings.HasSuffix(got.String(), words) {
			b, err := reader.ReadByte()
			if err != nil {
				t.Fatalf("after %q: %v", got.String(), err)
			}
			got.WriteByte(b)
		}
		return got.String()
	}
	if got := until(`"topic":"authenticated"}`); !strings.Contains(got, `"payload":null`) {
		t.Errorf("got %s", got)
	}
	speaker.sendf(`{"service":"numbers","id":"x","payload":1}`)
	const want = `{"id":"x","payload":1,"service_name":"numbers","token_name":"","token_hash":"","status_string":"","status_code":"","request_id":"","resource_id":"","domain_uuid":"","domain_name":"","permissions":[],"topic":""}`
	if got := until("}"); !strings.HasSuffix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
