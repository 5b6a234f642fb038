package succession

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/system/token"
)

// place is where a node is to be found. A test moves it.
type place struct {
	t *testing.T

	mu      sync.Mutex // Protects following.
	node    *running   // nil: nowhere
	changed chan struct{}
}

func (p *place) move(r *running) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.node = r
	if p.changed != nil {
		close(p.changed)
	}
	p.changed = make(chan struct{})
}

// now returns the node, nil if it is nowhere.
func (p *place) now() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.node
}

// find waits until the node is somewhere.
func (p *place) find(ctx context.Context) *running {
	for ctx.Err() == nil {
		p.mu.Lock()
		node, changed := p.node, p.changed
		p.mu.Unlock()
		if node != nil {
			return node
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}

// pipe is one connection of somebody who comes back as often as he is cut off.
type pipe struct {
	gws.BuiltinEventHandler
	hello chan said // until it is admitted
	take  func(said)
}

// OnMessage implements gws.Event.
func (p *pipe) OnMessage(_ *gws.Conn, m *gws.Message) {
	var s said
	if json.Unmarshal(m.Bytes(), &s) != nil {
		s.Topic = "what came is no message: " + string(m.Bytes())
	}
	switch {
	case p.hello == nil:
		p.take(s)
	case s.StatusCode == 200:
		close(p.hello)
		p.hello = nil
	default:
		p.hello <- s
	}
}

// keep connects to the node again and again. For each connection it calls take, which returns what gets its messages, and
// then work, which returns when the connection has ended.
func (p *place) keep(ctx context.Context, spec token.Spec, take func() func(said), work func(conn *gws.Conn, ended <-chan struct{})) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for r := p.find(ctx); r != nil; r = p.find(ctx) {
		if conn, admitted, ended := dial(ctx, r, spec, take()); conn != nil {
			select {
			case <-admitted:
				work(conn, ended)
			case <-ended:
			}
			_ = conn.NetConn().Close()
			<-ended
		}
		<-again.C // the node may be ending
	}
}

// dial connects to a node and shows a token. Conn is nil if the node does not take it.
func dial(ctx context.Context, r *running, spec token.Spec, take func(said)) (conn *gws.Conn, admitted <-chan said, ended <-chan struct{}) {
	made, _, err := token.Create(r.TokenDir, spec, token.JSON)
	if err != nil {
		return nil, nil, nil
	}
	hello := make(chan said, 8)
	p := &pipe{hello: hello, take: take}
	conn, _, err = gws.NewClient(p, &gws.ClientOption{Addr: "ws://" + r.Addr + "/", HandshakeTimeout: patience})
	if err != nil {
		return nil, nil, nil
	}
	over := make(chan struct{})
	context.AfterFunc(ctx, func() { _ = conn.NetConn().Close() })
	go func() {
		defer close(over)
		conn.ReadLoop()
	}()
	select {
	case <-hello: // asks for the token
	case <-over:
	}
	_ = conn.WriteString(fmt.Sprintf(`{"service":"authentication","request_id":"1","token":{"name":%q,"hash":%q},"payload":{"gaps":true}}`, made.Name, made.Hash))
	return conn, hello, over
}

// news is what a newscaster says.
type news struct {
	N    int    `json:"n"` // counts all that it has said
	B    int    `json:"b"` // counts its broadcasts on this connection
	Conn int    `json:"conn"`
	For  string `json:"for"` // the request that it answers
}

// newscaster is a service that numbers all it says.
type newscaster struct {
	name  string
	place *place
	last  news // owned by run
}

// run broadcasts and answers until ctx ends. One goroutine writes, so the numbers are in the order of what is said.
func (s *newscaster) run(ctx context.Context) {
	spec := token.Spec{Kind: token.Service, ServiceName: s.name, ServiceClass: "lab_plain_service"}
	var asked chan said // on this connection
	pace := time.NewTicker(4 * time.Millisecond)
	defer pace.Stop()
	take := func() func(said) {
		now := make(chan said, 1<<14)
		asked = now
		return func(m said) { now <- m }
	}
	s.place.keep(ctx, spec, take, func(conn *gws.Conn, ended <-chan struct{}) {
		s.last.Conn++
		s.last.B = 0
		for {
			select {
			case <-ended:
				return
			case <-pace.C:
				s.last.B++
				s.say(conn, "NEWS", "", "")
			case m := <-asked:
				s.say(conn, "get", m.RequestID, m.ResourceID)
			}
		}
	})
}

func (s *newscaster) say(conn *gws.Conn, topic, request, to string) {
	s.last.N++
	s.last.For = request
	text, _ := json.Marshal(s.last)
	_ = conn.WriteString(fmt.Sprintf(`{"service_name":%q,"topic":%q,"request_id":%q,"resource_id":%q,"payload":%s}`, s.name, topic, request, to, text))
}

// question is a request of a listener.
type question struct {
	conn     int // on which it was asked
	outcomes int
}

// heard is what a listener knows of one newscaster.
type heard struct {
	last    int  // number of the last message
	conn    int  // of the newscaster, and
	b       int  // its last broadcast there
	on      int  // the listener's connection on which that came
	gap     bool // it was told since then that something may be missing
	gaps    int
	missed  int
	count   int // broadcasts
	answers int
}

// listener is a client that hears and asks all newscasters.
type listener struct {
	t        *testing.T
	name     string
	place    *place
	services []string

	mu       sync.Mutex // Protects following.
	conn     int        // how many there were
	online   bool
	asked    int
	quiet    bool // it asks no more
	open     map[string]*question
	statuses map[int]int // outcomes
	unknown  int         // requests whose connection broke before an answer came
	of       map[string]*heard
}

// run asks until ctx ends.
func (l *listener) run(ctx context.Context) {
	pace := time.NewTicker(7 * time.Millisecond)
	defer pace.Stop()
	spec := token.Spec{Kind: token.User, Services: l.services}
	l.place.keep(ctx, spec, func() func(said) { return l.take }, func(conn *gws.Conn, ended <-chan struct{}) {
		l.begin()
		defer l.end()
		for {
			select {
			case <-ended:
				return
			case <-pace.C:
				if text := l.next(); text != "" {
					_ = conn.WriteString(text)
				}
			}
		}
	})
}

// begin is called when a connection is admitted.
func (l *listener) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn++
	l.online = true
}

// end is called when all has come that a connection brought.
func (l *listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.online = false
	for _, q := range l.open {
		if q.conn == l.conn && q.outcomes == 0 {
			q.outcomes = 1 // it may have reached the router or not
			l.unknown++
		}
	}
}

// next returns the next request, nothing if it does not ask now.
func (l *listener) next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quiet {
		return ""
	}
	l.asked++
	id := fmt.Sprintf("%s-%d", l.name, l.asked)
	l.open[id] = &question{conn: l.conn}
	return fmt.Sprintf(`{"service":%q,"topic":"get","request_id":%q}`, l.services[l.asked%len(l.services)], id)
}

func (l *listener) take(m said) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.of[m.ServiceName]
	if h == nil {
		l.t.Errorf("%s gets %+v", l.name, m)
		return
	}
	if m.Gap != nil {
		h.gap = true
		h.gaps++
		return
	}
	if m.Topic == "get" {
		l.answered(m)
	}
	var n news
	if len(m.Payload) == 0 || json.Unmarshal(m.Payload, &n) != nil || n.N == 0 {
		return // a status
	}
	if n.N <= h.last {
		l.t.Errorf("%s gets message %d of %s after message %d", l.name, n.N, m.ServiceName, h.last)
	}
	h.last = n.N
	if m.Topic != "NEWS" {
		h.answers++
		if n.For != m.RequestID {
			l.t.Errorf("%s gets the answer to %s for %s", l.name, n.For, m.RequestID)
		}
		return
	}
	if l.online && h.on == l.conn && h.conn == n.Conn && n.B != h.b+1 {
		h.missed += n.B - h.b - 1
		if !h.gap {
			l.t.Errorf("%s is not told that it misses broadcasts of %s: %d comes after %d", l.name, m.ServiceName, n.B, h.b)
		}
	}
	h.on, h.conn, h.b, h.gap = 0, n.Conn, n.B, false
	if l.online {
		h.on = l.conn
	}
	h.count++
}

func (l *listener) answered(m said) {
	q := l.open[m.RequestID]
	if q == nil || q.outcomes > 0 || q.conn != l.conn {
		l.t.Errorf("%s gets %+v, which it has not asked for on this connection or has got before", l.name, m)
		return
	}
	q.outcomes++
	l.statuses[m.StatusCode]++
	if m.StatusCode != 0 && m.StatusCode != 503 {
		l.t.Errorf("%s gets %+v", l.name, m)
	}
}

// waits counts the requests that have no outcome yet.
func (l *listener) waits() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.open {
		if q.outcomes == 0 {
			n++
		}
	}
	return n
}

// hush has the listener ask no more, or again.
func (l *listener) hush(quiet bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet = quiet
}

// snapshot returns what the listener has heard of a newscaster, and how many requests to any were refused.
func (l *listener) snapshot(service string) (h heard, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *l.of[service], l.statuses[503]
}
