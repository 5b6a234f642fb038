package system

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/lxzan/gws"

	"strowger/system/token"
)

// spoken is a connection of a remote service: what it gets comes through a channel.
type spoken struct {
	gws.BuiltinEventHandler
	conn  *gws.Conn
	got   chan reading
	ended chan struct{}
}

// OnMessage implements gws.Event.
func (s *spoken) OnMessage(_ *gws.Conn, m *gws.Message) { s.got <- readingOf(m.Bytes()) }

// OnClose implements gws.Event.
func (s *spoken) OnClose(*gws.Conn, error) { close(s.ended) }

// readingOf reads an envelope. What cannot be read is an empty one.
func readingOf(text []byte) (e reading) {
	if err := json.Unmarshal(text, &e); err != nil {
		return reading{text: string(text)}
	}
	return e
}

// speak connects a remote service, directly or through the proxy. It returns nil if it is not let in.
func (c *chaos) speak(ctx context.Context, addr string, spec token.Spec) *spoken {
	made, ok := c.mint(ctx, spec)
	if !ok {
		return nil
	}
	s := &spoken{got: make(chan reading, 4096), ended: make(chan struct{})}
	var err error
	if s.conn, _, err = gws.NewClient(s, &gws.ClientOption{Addr: "ws://" + addr + "/"}); err != nil {
		pauseFor(ctx, time.Millisecond)
		return nil
	}
	go s.conn.ReadLoop()
	_ = s.conn.WriteString(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash))
	for {
		select {
		case e := <-s.got:
			if string(e.Code) == "200" && e.Service == "authentication" {
				return s
			}
		case <-s.ended:
			return nil
		case <-ctx.Done():
			s.hangUp()
			return nil
		}
	}
}

func (s *spoken) hangUp() {
	_ = s.conn.NetConn().Close()
	<-s.ended
}

// keepLedger says entries of the two domains on s until the trouble is over, and stays until ctx ends.
func (c *chaos) keepLedger(ctx, trouble context.Context, s *spoken) {
	random, next := c.random(1), map[string]int{}
	defer s.hangUp()
	for trouble.Err() == nil {
		for range random.IntN(20) {
			d := chaosDomains[random.IntN(2)]
			if err := s.conn.WriteString(fmt.Sprintf(`{"service":%q,"topic":"entry","payload":{"d":%q,"n":%d}}`, ledgerName, d, next[d])); err != nil {
				c.fail("the ledger is cut off: %v", err)
				return
			}
			next[d]++
		}
		pauseFor(trouble, time.Duration(random.IntN(2000))*time.Microsecond)
	}
	<-ctx.Done()
}

// serveEcho is an instance of the echo that comes back whenever it is lost. While there is trouble, it dies, hangs, leaves in
// good order, and answers late.
func (c *chaos) serveEcho(ctx, trouble context.Context, part uint64) {
	random := c.random(part)
	for ctx.Err() == nil {
		addr := c.s.Addr().String()
		if random.IntN(2) == 0 {
			addr = c.proxy.addr
		}
		if s := c.speak(ctx, addr, remote(echoName, "echo_service")); s != nil {
			s.echo(ctx, trouble, random)
			s.hangUp()
		}
	}
}

// echo answers requests until the instance has had enough, or ctx ends.
func (s *spoken) echo(ctx, trouble context.Context, random *rand.Rand) {
	hangs := random.IntN(4) == 0
	for n := random.IntN(400); ; n-- {
		var e reading
		select {
		case <-ctx.Done():
			return
		case <-s.ended:
			return
		case e = <-s.got:
		}
		bad := trouble.Err() == nil
		switch {
		case bad && n < 0 && hangs:
			pauseFor(trouble, time.Duration(random.IntN(50))*time.Millisecond)
			return
		case bad && n < 0:
			return
		case bad && random.IntN(50) == 0:
			pauseFor(trouble, time.Duration(random.IntN(5))*time.Millisecond)
		case bad && random.IntN(200) == 0:
			continue // it is never answered
		case bad && random.IntN(400) == 0:
			_ = s.conn.WriteString(`{"service":"authentication","topic":"leaving"}`)
		}
		_ = s.conn.WriteString(fmt.Sprintf(`{"service_name":%q,"topic":"echo","status_code":200,"request_id":%s,"resource_id":%q,"payload":%s}`,
			echoName, e.RequestID, e.ResourceID, e.Payload))
	}
}

// intrude is somebody without a token, or with a bad one, who sends what he likes.
func (c *chaos) intrude(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", c.s.Addr().String())
		if err != nil {
			c.fail("the router does not accept: %v", err)
			return
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
		noise := make([]byte, random.IntN(4000))
		for i := range noise {
			noise[i] = byte(random.UintN(256))
		}
		switch random.IntN(5) {
		case 0:
			_, _ = conn.Write(noise)
		case 1:
			_, _ = io.WriteString(conn, upgrade)
			_, _ = conn.Write(noise)
		case 2:
			_, _ = io.WriteString(conn, upgrade+strings.Repeat("\x81\xfe", 500))
		case 3:
			_, _ = io.WriteString(conn, upgrade[:random.IntN(len(upgrade))])
		case 4:
			_, _ = io.WriteString(conn, upgrade)
			text := fmt.Sprintf(`{"service":"authentication","token":{"name":"%064d","hash":"%064d"}}`, random.IntN(9), random.IntN(9))
			_, _ = conn.Write(append([]byte{0x81, 0xfe, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}, text...))
		}
		if random.IntN(2) == 0 {
			pauseFor(ctx, time.Duration(random.IntN(20))*time.Millisecond)
			_, _ = conn.Read(noise)
		}
		_ = conn.Close()
	}
}

// askByHTTP asks by POST, each time as somebody else.
func (c *chaos) askByHTTP(ctx context.Context, random *rand.Rand) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for n := 0; ctx.Err() == nil; n++ {
		moves := c.moves.Load()
		made, ok := c.mint(ctx, user(chaosDomains[n%2], nil))
		if !ok {
			return
		}
		service := []string{echoName, fragileName, secretName, "nobody"}[random.IntN(4)]
		body := fmt.Sprintf(`{"service":%q,"topic":"echo","request_id":"h","payload":%d}`, service, n)
		r, err := http.NewRequest(http.MethodPost, "http://"+c.s.Addr().String()+"/request", strings.NewReader(body)) //nolint:noctx // each has its answer
		if err != nil {
			c.fail("%v", err)
			return
		}
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(made.Name+":"+made.Hash)))
		answer, err := transport.RoundTrip(r)
		if err != nil {
			c.fail("request by HTTP to %s: %v", service, err)
			return
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		e := readingOf(text)
		good := err == nil
		switch answer.StatusCode {
		case http.StatusOK:
			good = good && string(e.Payload) == fmt.Sprint(n) && (service == echoName || service == fragileName)
		case http.StatusForbidden:
			good = good && service == secretName
		case http.StatusNotFound:
			good = good && (service == "nobody" || service == echoName)
		case http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
			good = good && (service == echoName || service == fragileName)
		case http.StatusUnauthorized:
			good = c.moves.Load() != moves || moves%2 == 1 // the file was away
		default:
			good = false
		}
		if !good {
			c.fail("request by HTTP to %s: %d %s %v", service, answer.StatusCode, text, err)
		}
	}
}

// breakThings cuts connections, reloads, and takes the directory of tokens away, until ctx ends. Then all is as before.
func (c *chaos) breakThings(ctx context.Context) {
	random := c.random(2)
	away := c.tokens + ".away"
	for ctx.Err() == nil {
		pauseFor(ctx, time.Duration(5+random.IntN(60))*time.Millisecond)
		switch random.IntN(6) {
		case 0, 1:
			c.proxy.cut()
		case 2, 3:
			c.reload(random)
		case 4:
			c.moves.Add(1)
			if err := os.Rename(c.tokens, away); err != nil {
				c.fail("%v", err)
				return
			}
			pauseFor(ctx, time.Duration(random.IntN(10))*time.Millisecond)
			if err := os.Rename(away, c.tokens); err != nil {
				c.fail("%v", err)
				return
			}
			c.moves.Add(1)
		case 5:
			c.crowd(random)
		}
	}
}

// reload changes settings, half of the time to some that are wrong.
func (c *chaos) reload(random *rand.Rand) {
	cfg := *c.cfg
	wrong := random.IntN(2) == 0
	cfg.Limits.OutboundMessages = 150 + random.IntN(100)
	cfg.Routing.EjectAfter = random.IntN(4)
	if wrong {
		cfg.Limits.OutboundMessages = -1
	}
	_, err := c.s.Reload(&cfg)
	if wrong != (err != nil) {
		c.fail("a reload that is wrong (%v) gives %v", wrong, err)
	}
}

// crowd opens connections that say nothing, and leaves.
func (c *chaos) crowd(random *rand.Rand) {
	var all []net.Conn
	for range random.IntN(200) {
		if conn, err := net.Dial("tcp", c.s.Addr().String()); err == nil {
			all = append(all, conn)
		}
	}
	for _, conn := range all {
		_ = conn.Close()
	}
}

// descriptorsOpen returns how many file descriptors the process has open, 0 where nobody tells.
func descriptorsOpen() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(all)
}
