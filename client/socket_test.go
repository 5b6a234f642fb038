package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Frames that no router may send cost the connection, and nothing else: the client
// connects again.
func TestBrokenFrames(t *testing.T) {
	tests := []struct {
		name  string
		frame []byte
		code  uint16 // of the client's close frame
	}{
		// The library panics over these.
		{"negative length, binary", append([]byte{0x82, 0x7F}, bytes.Repeat([]byte{0xFF}, 8)...), 1002},
		{"negative length, text", append([]byte{0x81, 0x7F}, bytes.Repeat([]byte{0xFF}, 8)...), 1002},
		{"negative length, continuation", append([]byte{0x80, 0x7F, 0x80}, make([]byte, 7)...), 1002},
		{"too long", []byte{0x81, 0x7F, 0, 0, 0, 0, 0, 1, 0, 1}, 1009},
		{"not UTF-8", []byte{0x81, 1, 0xFF}, 1007},
		{"masked", []byte{0x81, 0x81, 0, 0, 0, 0, 'x'}, 1002},
		{"reserved bit", []byte{0xC1, 1, 'x'}, 1002},
		{"reserved opcode", []byte{0x8B, 0}, 1002},
		{"long ping", append([]byte{0x89, 126, 0, 126}, make([]byte, 126)...), 1002},
		{"fragmented ping", []byte{0x09, 0}, 1002},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newFakeRouter(t)
			c, p := r.online(Options{Limits: Limits{MessageBytes: 1 << 16}, Reconnect: Reconnect{Max: time.Millisecond}})
			done := asking(t.Context(), c, nil)
			p.Next()
			p.Raw(test.frame)
			if a := <-done; !errors.Is(a.err, ErrDisconnected) {
				t.Errorf("the request under way ended with %v", a.err)
			}
			if payload := p.Closed(); len(payload) < 2 || binary.BigEndian.Uint16(payload) != test.code {
				t.Errorf("close frame holds %q, want code %d", payload, test.code)
			}
			p = r.Accept()
			p.Login()
			barrier(t, c, p)
		})
	}
}

func TestFragmentsAndBinaryAreRead(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	done := asking(t.Context(), c, nil)
	p.Next()
	p.Raw([]byte{0x01, 5})
	p.Raw([]byte(`{"req`))
	p.Frame(9, nil) // a ping may come in between
	p.Raw([]byte{0x80, 11})
	p.Raw([]byte(`uest_id":1}`))
	if a := <-done; a.err != nil {
		t.Error(a.err)
	}
	if op, _ := p.NextFrame(); op != 10 {
		t.Errorf("opcode is %d, want a pong", op)
	}
	done = asking(t.Context(), c, nil)
	p.Next()
	p.Frame(2, []byte(`{"request_id":"2"}`))
	if a := <-done; a.err != nil {
		t.Error(a.err)
	}
}

func TestPingIsAnswered(t *testing.T) {
	r := newFakeRouter(t)
	_, p := r.online(Options{})
	for _, payload := range []string{"", "x", strings.Repeat("y", 125)} {
		p.Frame(9, []byte(payload))
		if op, got := p.NextFrame(); op != 10 || string(got) != payload {
			t.Errorf("ping %q got opcode %d, payload %q", payload, op, got)
		}
	}
}

func TestLongMessages(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	for _, n := range []int{100, 125, 126, 0xFFFF, 0x10000, 1 << 20} {
		payload := strings.Repeat("x", n)
		done := asking(t.Context(), c, payload)
		m := p.Next()
		if string(m.Payload) != `"`+payload+`"` {
			t.Errorf("a payload of %d bytes arrived with %d", n+2, len(m.Payload))
		}
		p.Reply(m, 200, payload)
		if a := <-done; a.err != nil || string(a.reply.Payload) != string(m.Payload) {
			t.Errorf("a payload of %d bytes came back with error %v", n+2, a.err)
		}
	}
}

func TestKeepalive(t *testing.T) {
	const interval = 25 * time.Second // the default
	t.Run("the router answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPipedRouter(t).online(Options{})
			began := time.Now()
			for i := 1; i <= 5; i++ {
				if op, _ := p.NextFrame(); op != 9 {
					t.Errorf("opcode is %d, want a ping", op)
				}
				if after := time.Since(began); after != time.Duration(i)*interval {
					t.Errorf("ping %d came after %v", i, after)
				}
				<-time.After(interval / 2) // the bubble's time: a slow pong is in time
				p.Frame(10, nil)
			}
			if got := c.State(); got != StateOnline {
				t.Errorf("state is %v", got)
			}
			go p.Farewell()
			c.Close()
		})
	})
	t.Run("the router is silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var began time.Time
			offline := make(chan error, 1)
			c, p := newPipedRouter(t).online(Options{OnState: func(s State, cause error) {
				if s == StateOffline {
					offline <- cause
				}
			}})
			began = time.Now()
			p.NextFrame()
			if cause := <-offline; !strings.Contains(cause.Error(), "no sign of life for 25s") {
				t.Errorf("cause is %v", cause)
			}
			if after := time.Since(began); after != 2*interval {
				t.Errorf("lost after %v", after)
			}
			c.Close()
		})
	})
	t.Run("a long message counts while it comes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPipedRouter(t).online(Options{})
			go func() {
				for {
					if _, _, err := p.ReadFrame(); err != nil {
						return
					}
				}
			}()
			heard := make(chan Message, 1)
			c.Listen("s", func(m Message) { heard <- m })
			text := []byte(`{"service_name":"s"}` + strings.Repeat(" ", 80))
			p.Raw([]byte{0x81, 100})
			for _, b := range text {
				<-time.After(10 * time.Second)
				p.Raw([]byte{b})
			}
			<-heard
			p.Frame(8, nil)
			c.Close()
		})
	})
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPipedRouter(t).online(Options{PingInterval: -1})
			<-time.After(24 * time.Hour)
			if got := c.State(); got != StateOnline {
				t.Errorf("state is %v", got)
			}
			go p.Farewell()
			c.Close()
		})
	})
}

// A router that does not read costs each caller no more than its own time, and the
// connection once the write timeout is over. Its own pings do not stall the reader.
func TestRouterDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offline := make(chan error, 1)
		c, p := newPipedRouter(t).online(Options{
			RequestTimeout: time.Second,
			OnState: func(s State, cause error) {
				if s == StateOffline {
					offline <- cause
				}
			},
		})
		began := time.Now()
		first, second := asking(t.Context(), c, 1), asking(t.Context(), c, 2)
		for _, done := range []<-chan answer{first, second} {
			if a := <-done; !errors.Is(a.err, ErrTimeout) {
				t.Errorf("ended with %v", a.err)
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("the requests took %v", took)
		}
		heard := make(chan Message, 1)
		c.Listen("s", func(m Message) { heard <- m })
		for range 10 {
			p.Frame(9, []byte("ping"))
		}
		p.Broadcast("s", "t", nil)
		<-heard
		if cause := <-offline; !strings.Contains(cause.Error(), "write frame") {
			t.Errorf("cause is %v", cause)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("lost after %v", took)
		}
		c.Close()
	})
}
