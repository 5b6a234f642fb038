package transport

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
)

// deaf opens a connection whose kernel takes little of what the router sends.
func (s *server) deaf() *peer {
	s.t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if bad := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(socketOf(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		}); bad != nil {
			return bad
		}
		return err
	}}
	conn, err := d.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	return newPeer(s.t, conn).shake()
}

// narrow makes the kernel hold little of what the router sends on connections that come from now on, so that what
// is not read soon waits in the router.
func (s *server) narrow() {
	s.t.Helper()
	raw, err := s.listener.(syscall.Conn).SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	var bad error
	if err := raw.Control(func(fd uintptr) {
		bad = syscall.SetsockoptInt(socketOf(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 16<<10)
	}); err != nil || bad != nil {
		s.t.Fatal(err, bad)
	}
}

// flood sends a message again and again and reads nothing, until the connection ends.
func (p *peer) flood(sending *sync.WaitGroup, message []byte) {
	p.t.Helper()
	many := bytes.Repeat(message, 1+(16<<10)/len(message))
	sending.Go(func() {
		for {
			if _, err := p.Write(many); err != nil {
				return
			}
		}
	})
}

// stalled reports whether so many sockets are not read from, because their windows are full of what their
// peers do not read.
func (s *server) stalled(want int) bool {
	stalled := 0
	for _, sh := range s.shards {
		found := make(chan int, 1)
		sh.during(func() {
			n := 0
			for socket := range sh.sockets {
				if socket.writing && socket.lastHeard.Load() == waits {
					n++
				}
			}
			found <- n
		})
		stalled += <-found
	}
	return stalled == want
}

// bystanders checks that others are served.
func (s *server) bystanders(client, service *peer) {
	s.t.Helper()
	client.ping("alive")
	client.text(`{"service":"a","topic":"t","request_id":"r"}`)
	ask := service.envelope()
	service.text(fmt.Sprintf(`{"service_name":"a","topic":"t","request_id":"r","resource_id":%q,"payload":1}`, ask.ResourceID))
	if e := client.envelope(); e.RequestID != "r" {
		s.t.Fatalf("got %+v, want the reply", e)
	}
	s.dial().login("client").ping("alive")
}

// parrot is a service in this process that answers at once, whatever becomes of the answers.
type parrot struct {
	deps   *actors.Deps
	peer   *actors.Peer
	window runtime.Window
}

func (p *parrot) Ask(r *actors.Request) {
	e := &envelope.Envelope{ServiceName: r.Envelope.ServiceName, RequestID: r.Envelope.RequestID, ResourceID: r.Envelope.ResourceID}
	p.deps.Speak(p.peer, e, &p.window, 1)
	r.Release()
}

func (p *parrot) Gone(string) {}

// TestFloodOfAnswers has peers send what the router answers itself, and read nothing. What waits for each
// of them is bounded by its window, it is not read from, and others are served.
func TestFloodOfAnswers(t *testing.T) {
	const flooders, window, longest = 12, 8, 8 << 10
	tests := []struct {
		name, token, send string
		op                byte
	}{
		{"407", "", `{"a":1}`, text},
		{"407 to long ids", "", `{"request_id":"` + string(bytes.Repeat([]byte("x"), 4000)) + `"}`, text},
		{"authenticated again", "client", `{"service":"authentication","token":{"name":"client","hash":"x"}}`, text},
		{"400", "client", `{"request_id":1}`, text},
		{"403", "client", `{"service":"silent","request_id":1}`, text},
		{"404", "client", `{"service":"nobody","request_id":1}`, text},
		{"503", "client", `{"service":"busy","request_id":1}`, text},
		{"service authenticated again", "service:b", `{"service":"authentication","token":{"name":"client","hash":"x"}}`, text},
		{"answers of a service inside", "client", `{"service":"inside","request_id":1}`, text},
		{"pong", "", string(bytes.Repeat([]byte("x"), 125)), ping},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) {
				l.UnauthenticatedBytes, l.ClientBytes, l.ServiceBytes = longest, longest, longest
				l.InboundMessages, l.ServiceInboundMessages = window, window
			})
			usual := s.deps.Settings.Load()
			set := *usual
			set.UnknownService, set.PendingRequests = envelope.NotFound.Code, 0
			set.Policies = actors.NewPolicies(map[string]*filter.Filter{"silent": filter.Deny()}, nil, filter.Pass())
			client, service := s.login("client"), s.login("service:a")
			s.login("service:busy")
			s.login("service:silent")
			inside := &parrot{deps: s.deps}
			inside.peer = actors.NewLocal("inside", filter.Pass(), inside)
			s.router.Send(&actors.Offer{Peer: inside.peer})
			s.bystanders(client, service)
			s.deps.Settings.Store(&set)
			s.narrow()
			var sending sync.WaitGroup
			var flooding []*peer
			for range flooders {
				p := s.deaf()
				if tt.token != "" {
					p.login(tt.token)
				}
				flooding = append(flooding, p)
				p.flood(&sending, masked(tt.op, []byte(tt.send)))
			}
			eventually(t, "flooding peers are not read from", func() bool { return s.stalled(flooders) })
			s.settle()
			if traffic := s.Traffic(); traffic.Paused < flooders || traffic.Pauses < flooders || traffic.WaitingFrames == 0 {
				t.Errorf("traffic is %+v, want %d paused connections at least and frames that wait", traffic, flooders)
			}
			// Each message may come back in an envelope of some 400 bytes.
			if got, most := s.WaitingBytes(), int64(flooders*(longest+window*600)); got == 0 || got > most {
				t.Errorf("%d bytes wait for %d peers, want some and at most %d", got, flooders, most)
			}
			s.deps.Settings.Store(usual)
			s.bystanders(client, service)
			if n := s.deps.Counters.SlowConsumers.Load(); n != 0 {
				t.Errorf("%d peers cut off, want none: what they send has to wait", n)
			}
			for _, p := range flooding {
				_ = p.Close()
			}
			sending.Wait()
			eventually(t, "nothing is left of the flood", func() bool {
				return s.Live() == 6 && s.WaitingBytes() == 0 && s.UnauthenticatedBytes() == 0 && s.Traffic().Paused == 0 && s.Traffic().WaitingFrames == 0
			})
		})
	}
}
