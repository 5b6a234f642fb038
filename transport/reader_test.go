package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors"
	"strowger/transport/frame"
)

func TestHostileFrameHurtsNobodyElse(t *testing.T) {
	s := newServer(t, nil, nil)
	bad, good := s.dial(), s.dial()
	bad.write([]byte{0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4})
	bad.closed(frame.CloseProtocolError)
	good.ping("alive")
	if n := s.deps.Counters.Panics.Load(); n != 0 {
		t.Errorf("%d panics, want none", n)
	}
}

func TestPeerIsClosed(t *testing.T) {
	tests := []struct {
		name string
		send []byte
		want frame.CloseCode
	}{
		{"masked close", masked(bye, []byte("\x03\xe8")), frame.CloseNormal},
		{"masked close, own code", masked(bye, []byte("\x0f\xa0")), 4000},
		{"masked close, forbidden code", masked(bye, []byte("\x03\xed")), frame.CloseProtocolError},
		{"masked close without code", masked(bye, nil), frame.CloseNone},
		{"unmasked close", unmasked(bye, []byte("\x03\xe8")), frame.CloseNormal},
		{"unmasked close without code", unmasked(bye, nil), frame.CloseNone},
		{"unmasked text", unmasked(text, []byte("{}")), frame.CloseProtocolError},
		{"not UTF-8", masked(text, []byte{0xC3, 0x28}), frame.CloseInvalidData},
		{"fragments whose sum overflows", join(masked(openText, []byte("a")), []byte{0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}), frame.CloseTooBig},
	}
	s := newServer(t, nil, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial()
			p.write(tt.send)
			p.closed(tt.want)
		})
	}
}

func TestMessageSizeByRole(t *testing.T) {
	const (
		unknown = 1 << 10
		client  = 4 << 10
		service = 16 << 10
	)
	s := newServer(t, nil, func(l *Limits) {
		l.UnauthenticatedBytes, l.ClientBytes, l.ServiceBytes = unknown, client, service
	})
	tests := []struct {
		name, token string
		longest     int
	}{{"unauthenticated", "", unknown}, {"client", "client", client}, {"service", "service:a", service}}
	for _, tt := range tests {
		for _, fragmented := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/fragmented=%t", tt.name, fragmented), func(t *testing.T) {
				open := func() *peer {
					if tt.token == "" {
						return s.dial()
					}
					return s.login(tt.token)
				}
				say := func(p *peer, n int) {
					m := bytes.Repeat([]byte(" "), n)
					if !fragmented {
						p.write(masked(text, m))
						return
					}
					p.write(join(masked(openText, m[:n/2]), masked(lastFragment, m[n/2:])))
				}
				fits := open()
				say(fits, tt.longest)
				fits.ping("fits")
				long := open()
				say(long, tt.longest+1)
				long.closed(frame.CloseTooBig)
			})
		}
	}
}

func TestOddFramesMakeOneMessage(t *testing.T) {
	request := []byte(`{"service":"a","request_id":7,"payload":"ü"}`)
	umlaut := bytes.IndexByte(request, 0xC3) + 1 // inside the character
	tests := []struct {
		name string
		send []byte
		pong bool
	}{
		{"text", masked(text, request), false},
		{"binary", masked(0x80|byte(frame.OpBinary), request), false},
		{"fragments", join(masked(openText, request[:umlaut]), masked(openMore, nil), masked(lastFragment, request[umlaut:])), false},
		{"ping amid fragments", join(masked(openText, request[:5]), masked(ping, []byte("p")), masked(lastFragment, request[5:])), true},
		{"unmasked pong amid fragments", join(masked(openText, request[:5]), unmasked(pong, []byte("p")), masked(lastFragment, request[5:])), false},
		{"empty messages around", join(masked(text, nil), masked(text, request), masked(text, nil)), false},
	}
	s := newServer(t, nil, nil)
	service := s.login("service:a")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.login("client")
			p.write(tt.send)
			if e := service.envelope(); string(e.Payload) != `"ü"` || e.RequestID != float64(7) {
				t.Errorf("service got %+v", e)
			}
			if tt.pong {
				if m := p.next(); m.op != frame.OpPong || string(m.payload) != "p" {
					t.Errorf("got opcode %d %q, want the pong", m.op, m.payload)
				}
			}
		})
	}
	service.ping("nothing more came")
}

func TestUnmaskedPongInPieces(t *testing.T) {
	s := newServer(t, nil, nil)
	p := s.dial()
	for _, b := range join(unmasked(pong, []byte("from PHP")), masked(ping, []byte("x")), unmasked(pong, nil)) {
		p.write([]byte{b})
	}
	if m := p.next(); m.op != frame.OpPong || string(m.payload) != "x" {
		t.Fatalf("got opcode %d %q, want pong x", m.op, m.payload)
	}
	p.ping("")
}

func TestReaderPanic(t *testing.T) {
	r := newRig(t, nil)
	near, far := r.tcpPair(0)
	reader := r.attached(near).reader
	reader.inbox = actors.SpawnConnection(r.deps, actors.RouterRef{}, reader.socket, &net.TCPAddr{})
	reader.decoder = decoder{inside: true, left: -1} // cannot be
	if !reader.take([]byte("x"), nil) {
		t.Error("the peer's input is not read to its end")
	}
	newPeer(t, far).closed(frame.CloseInternalError)
	if n := r.deps.Counters.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
	if reader.take(nil, io.EOF) {
		t.Error("the reader goes on behind the end")
	}
}

func TestFloodIsSlowedDown(t *testing.T) {
	const budget, messages = 8 << 10, 20_000
	s := newServer(t, nil, func(l *Limits) {
		l.ServiceBytes, l.ServiceInboundMessages = budget, 8
		// The window is the subject, not the client's queue: on a busy machine the test itself may be
		// the slow reader.
		l.OutboundMessages, l.OutboundBytes = messages, 64<<20
	})
	client, service := s.login("client:a"), s.login("service:a")
	unblock := s.block()
	sent := service.broadcasts("a", messages)
	eventually(t, "as much under way as the window lets in", func() bool { return s.deps.Counters.Broadcasts.Load() >= 8 })
	glance := time.NewTicker(time.Millisecond)
	defer glance.Stop()
	for range 50 {
		<-glance.C
		if n := s.deps.Counters.Broadcasts.Load(); n > 8 {
			t.Fatalf("%d broadcasts taken while none can leave, want 8", n)
		}
	}
	unblock()
	client.counts(messages)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if n := s.deps.Counters.SlowConsumers.Load(); n != 0 {
		t.Errorf("%d slow consumers, want none", n)
	}
}

// TestPeerThatStaysIsCutOff: who was told to go has a time to do so, and then the connection ends.
func TestPeerThatStaysIsCutOff(t *testing.T) {
	s := newServer(t, nil, nil)
	now := s.ahead()
	stays := s.login("client")
	stays.write(unmasked(text, []byte("{}"))) // a breach of the protocol
	if m := stays.next(); m.op != frame.OpClose {
		t.Fatalf("got opcode %d, want a close frame", m.op)
	}
	s.tick(now)
	s.settle()
	if n := s.Live(); n != 1 {
		t.Fatalf("%d connections at once, want the one that may still hear why", n)
	}
	s.tick(now.Add((lingerTime + 1) * time.Second))
	eventually(t, "the connection ends", func() bool { return s.Live() == 0 })
}

// Long messages are posted and short ones handled at once; they keep their order all the same.
func TestLongAndShortKeepTheirOrder(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		t.Run(name, func(t *testing.T) {
			const messages = 3 * maxInline
			s := newServer(t, config, nil)
			dial := s.dial
			if config != nil {
				dial = func() *peer { return s.dialTLS(trusting) }
			}
			client, service := dial().login("client:a"), dial().login("service:a")
			var all []byte
			for i := range messages {
				filler := strings.Repeat("x", (i%3)/2*(short+1)) // every third is long
				all = append(all, masked(text, fmt.Appendf(nil, `{"service_name":"a","status_string":%q,"payload":%d}`, filler, i))...)
			}
			service.write(all)
			client.counts(messages)
		})
	}
}

// stuck is a log that stops who writes to it, once it has that many lines.
type stuck struct {
	slog.Handler
	left   atomic.Int64
	opened chan struct{}
}

func (s *stuck) Enabled(context.Context, slog.Level) bool { return true }

func (s *stuck) Handle(context.Context, slog.Record) error {
	if s.left.Add(-1) < 0 {
		<-s.opened
	}
	return nil
}

// TestManyShortMessagesHoldUpNobody: who reads handles only so many of the messages of one read itself.
func TestManyShortMessagesHoldUpNobody(t *testing.T) {
	r := newRig(t, nil)
	log := &stuck{Handler: slog.DiscardHandler, opened: make(chan struct{})}
	log.left.Store(maxInline)
	r.deps.Log = slog.New(log)
	near, far := r.tcpPair(0)
	newPeer(t, far) // stays
	reader := r.attached(near).reader
	reader.inbox = actors.SpawnConnection(r.deps, actors.RouterRef{}, reader.socket, &net.TCPAddr{})
	// Each is logged: it is no envelope.
	const messages = maxInline + 16 // fewer than the window holds
	burst := bytes.Repeat(masked(text, []byte(`[]`)), messages)
	read := make(chan bool, 1)
	go func() { read <- reader.take(burst, nil) }()
	select {
	case more := <-read:
		if !more {
			t.Error("nothing more is read")
		}
	case <-time.After(patience):
		t.Error("the reader waits for what the actor does")
	}
	close(log.opened)
	eventually(t, "all are handled", func() bool { return log.left.Load() == maxInline-messages })
	reader.take(nil, io.EOF)
}
