package system

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/token"
	"strowger/transport/frame"
)

// What the router allocates for each operation, from the read of a socket to the write to another one. The peers
// of these tests allocate nothing.

func TestAllocationsOfARequestInside(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg, calm("inside"))
	caller := joinRaw(t, s, user("one.example", []string{"view", "edit"}))
	request := rawText(`{"service":"inside","topic":"echo","request_id":"17","payload":{"a":1}}`)
	atMost(t, 8, func() {
		caller.write(request)
		caller.read()
	})
}

func TestAllocationsOfARequestToARemoteService(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg)
	remote := joinRaw(t, s, remote("outside", "outside_service"))
	caller := joinRaw(t, s, user("one.example", []string{"view", "edit"}))
	request := rawText(`{"service":"outside","topic":"echo","request_id":"17","payload":{"a":1}}`)
	caller.write(request)
	_, id, _ := strings.Cut(string(remote.read()), `"resource_id":"`)
	reply := rawText(`{"service_name":"outside","topic":"echo","status_string":"ok","status_code":200,"request_id":"17","resource_id":"` + id[:32] + `","payload":{"a":1}}`)
	remote.write(reply)
	caller.read()
	atMost(t, 7, func() {
		caller.write(request)
		remote.read()
		remote.write(reply)
		caller.read()
	})
}

// A broadcast costs the same for any number of members of one class.
func TestAllocationsOfABroadcast(t *testing.T) {
	for members, most := range map[int]float64{1: 3, 10: 3} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Routing.DefaultPolicy = "allow"
			s := start(t, cfg)
			speaker := joinRaw(t, s, remote("news", "news_service"))
			var listeners []*rawPeer
			for range members {
				listeners = append(listeners, joinRaw(t, s, user("one.example", nil, "news")))
			}
			event := rawText(`{"service_name":"news","topic":"FLASH","payload":{"a":1}}`)
			atMost(t, most, func() {
				speaker.write(event)
				for _, l := range listeners {
					l.read()
				}
			})
		})
	}
}

// How often atMost performs an operation.
const (
	warmRuns    = 200
	countedRuns = 2000
)

// atMost fails if an operation allocates more often than the bound, on average. What other goroutines of the router
// allocate meanwhile is far less than one half.
func atMost(t *testing.T, bound float64, operation func()) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for range warmRuns {
		operation()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range countedRuns {
		operation()
	}
	runtime.ReadMemStats(&after)
	n := float64(after.Mallocs-before.Mallocs) / countedRuns
	t.Logf("%.2f allocations, %.0f bytes", n, float64(after.TotalAlloc-before.TotalAlloc)/countedRuns)
	if n > bound+0.5 {
		t.Errorf("%.2f allocations, want at most %v", n, bound)
	}
}

// rawPeer is a peer that allocates nothing once it has joined.
type rawPeer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	head [4]byte
	body []byte
}

func joinRaw(t *testing.T, s *System, spec token.Spec) *rawPeer {
	t.Helper()
	made := mint(t, s.running.Load().Tokens.Directory, spec)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{t: t, conn: conn, in: bufio.NewReader(conn), body: make([]byte, 0, 4<<10)}
	p.write([]byte("GET / HTTP/1.1\r\nHost: " + s.Addr().String() +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	for line := ""; line != "\r\n"; {
		if line, err = p.in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	p.read() // what asks for a token
	p.authenticate(made)
	return p
}

func (p *rawPeer) authenticate(made client.Token) {
	p.t.Helper()
	p.write(rawText(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)))
	if answer := string(p.read()); !strings.Contains(answer, `"status_code":200`) {
		p.t.Fatal(answer)
	}
}

func (p *rawPeer) write(b []byte) {
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// read returns the next message, which is good until the next call.
func (p *rawPeer) read() []byte {
	p.full(p.head[:2])
	n := int(p.head[1])
	if n == 126 {
		p.full(p.head[2:4])
		n = int(binary.BigEndian.Uint16(p.head[2:4]))
	}
	p.body = p.body[:n]
	p.full(p.body)
	return p.body
}

func (p *rawPeer) full(b []byte) {
	if _, err := io.ReadFull(p.in, b); err != nil {
		p.t.Fatal(err)
	}
}

// rawText returns the frame of a message, masked with zeros.
func rawText(message string) []byte {
	f := frame.Append(nil, frame.OpText, []byte(message))
	head := len(f) - len(message)
	masked := append([]byte(nil), f[:head]...)
	masked[1] |= 0x80
	masked = append(masked, 0, 0, 0, 0)
	return append(masked, message...)
}
