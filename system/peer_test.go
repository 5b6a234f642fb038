package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/client"
	"strowger/system/token"
)

// peer is the far end of one connection, spoken to in the bytes of the protocol.
type peer struct {
	t      *testing.T
	conn   *gws.Conn
	got    chan reading
	closed chan struct{}
	code   uint16 // of the router's close frame, after closed
}

// reading is a message as a peer reads it.
type reading struct {
	Service    string          `json:"service_name"`
	Topic      string          `json:"topic"`
	Code       json.RawMessage `json:"status_code"`
	RequestID  json.RawMessage `json:"request_id"`
	ResourceID string          `json:"resource_id"`
	Payload    json.RawMessage `json:"payload"`
	Gap        *int            `json:"gap"` // nil: the message tells of none
	text       string          // all of it, as it came
}

// String spells a message as the tests do: status service/topic #request payload.
func (e reading) String() string {
	return fmt.Sprintf("%s %s/%s #%s %s", e.Code, e.Service, e.Topic, e.RequestID, e.Payload)
}

type reader struct {
	gws.BuiltinEventHandler
	peer *peer
}

func (r *reader) OnMessage(_ *gws.Conn, m *gws.Message) {
	var e reading
	if err := json.Unmarshal(m.Bytes(), &e); err != nil {
		r.peer.t.Errorf("%q: %v", m.Bytes(), err)
	}
	e.text = string(m.Bytes())
	r.peer.got <- e
}

func (r *reader) OnClose(_ *gws.Conn, err error) {
	if closed, ok := errors.AsType[*gws.CloseError](err); ok {
		r.peer.code = closed.Code
	}
}

// join connects with a new token and returns once it is accepted.
func join(t *testing.T, s *System, spec token.Spec) *peer {
	t.Helper()
	return joinAt(t, s.Addr().String(), s.running.Load().Tokens.Directory, spec)
}

func joinAt(t *testing.T, addr, dir string, spec token.Spec) *peer {
	t.Helper()
	p := connectAt(t, addr)
	p.authenticate(mint(t, dir, spec))
	return p
}

// connectAt connects and returns once a token is asked for.
func connectAt(t *testing.T, addr string) *peer {
	t.Helper()
	return connectWith(t, addr, nil)
}

// connectWith is connectAt with more headers in the request.
func connectWith(t *testing.T, addr string, header http.Header) *peer {
	t.Helper()
	p := &peer{t: t, got: make(chan reading, 1024), closed: make(chan struct{})}
	conn, _, err := gws.NewClient(&reader{peer: p}, &gws.ClientOption{Addr: "ws://" + addr + "/", RequestHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	go func() {
		defer close(p.closed)
		conn.ReadLoop()
	}()
	t.Cleanup(p.leave)
	p.gets(`407 authentication/authenticate #"" null`)
	return p
}

func (p *peer) authenticate(made client.Token) {
	p.t.Helper()
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
	p.gets(`200 authentication/authenticated #"" null`)
}

// user is a client of a domain that watches services, space-separated words being permissions.
func user(domain string, permissions []string, services ...string) token.Spec {
	return token.Spec{Kind: token.User, DomainName: domain, Permissions: permissions, Services: services}
}

// remote is a service of a class.
func remote(name, class string) token.Spec {
	return token.Spec{Kind: token.Service, ServiceName: name, ServiceClass: class}
}

// leave ends the connection and waits until it has ended.
func (p *peer) leave() {
	_ = p.conn.WriteClose(1000, nil) // closed already, it may be
	<-p.closed
}

func (p *peer) sendf(format string, args ...any) {
	p.t.Helper()
	if err := p.conn.WriteString(fmt.Sprintf(format, args...)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) next() reading {
	p.t.Helper()
	select {
	case e := <-p.got:
		return e
	case <-time.After(patience):
		p.t.Fatal("no message came")
		return reading{}
	}
}

func (p *peer) gets(want ...string) {
	p.t.Helper()
	for _, want := range want {
		if got := p.next().String(); got != want {
			p.t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// asked reads a request and returns who asked.
func (p *peer) asked(want string) (resource string) {
	p.t.Helper()
	e := p.next()
	if got := e.String(); got != want {
		p.t.Fatalf("got  %s\nwant %s", got, want)
	}
	return e.ResourceID
}

// quiet fails if anything came that was sent before: the router's own answer, which is sent later,
// has to be the next. It needs routing.unknown_service at 503.
func (p *peer) quiet() {
	p.t.Helper()
	p.sendf(`{"service":"nobody","topic":"quiet","request_id":"q"}`)
	p.gets(`503 nobody/quiet #"q" null`)
}
