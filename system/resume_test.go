package system

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/ticket"
	"strowger/system/token"
)

// ticketed returns settings with tickets whose key outlives the router.
func ticketed(t *testing.T, keyFile string) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Tokens.Tickets, cfg.Tokens.TicketKeyFile = 5*time.Minute, keyFile
	cfg.Routing.DefaultPolicy, cfg.Routing.UnknownService = "allow", "503"
	return cfg
}

func keyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "tickets") }

// offer is what a 200 says of tickets.
type offer struct {
	Resumed  bool    `json:"resumed"`
	Ticket   string  `json:"ticket"`
	Lifetime float64 `json:"lifetime"`
}

// asksForTickets authenticates with a token and asks for tickets.
func (p *peer) asksForTickets(name, hash string) offer {
	p.t.Helper()
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true}}`, name, hash)
	e := p.next()
	if string(e.Code) != "200" || e.Topic != "authenticated" {
		p.t.Fatalf("got %s", e)
	}
	var said struct{ Resume *offer }
	if err := json.Unmarshal(e.Payload, &said); err != nil || said.Resume == nil {
		p.t.Fatalf("got %s", e)
	}
	return *said.Resume
}

// refuse presents a ticket that is not good.
func (p *peer) refuse(ticket string) {
	p.t.Helper()
	p.sendf(`{"service":"authentication","token":{"name":"resume","hash":%q},"payload":{"resume":true}}`, ticket)
	p.gets(`401 authentication/unauthorized #"" null`)
}

// begin connects with a new token and asks for tickets.
func begin(t *testing.T, s *System, spec token.Spec) (*peer, offer) {
	t.Helper()
	p := connectAt(t, s.Addr().String())
	made := mint(t, s.running.Load().Tokens.Directory, spec)
	return p, p.asksForTickets(made.Name, made.Hash)
}

// resumed connects with a ticket.
func resumed(t *testing.T, s *System, ticket string) (*peer, offer) {
	t.Helper()
	p := connectAt(t, s.Addr().String())
	o := p.asksForTickets("resume", ticket)
	if !o.Resumed || o.Ticket == "" {
		t.Fatalf("got %+v", o)
	}
	return p, o
}

// drop ends the connection as a lost network does.
func (p *peer) drop() {
	_ = p.conn.NetConn().Close()
	<-p.closed
}

// refusesTicket waits until a ticket is not good. A connection that has ended may take a moment to say so.
func refusesTicket(t *testing.T, s *System, ticket string) {
	t.Helper()
	p := connectAt(t, s.Addr().String())
	p.refuse(ticket)
}

// With tickets and a history a client that is cut off all the time hears everything once and in order, and needs one token.
func TestNothingLostOverCutsWithTickets(t *testing.T) {
	const count = 10_000
	tokens := 0
	r := rove(t, policy.History{Messages: count, Bytes: 16 << 20}, count, 100, (*rover).live, func(cfg *config.Config, r *rover) {
		cfg.Tokens.Tickets, r.resume = 5*time.Minute, true
		mint := r.mint
		r.mint = func() (string, string) {
			tokens++
			return mint()
		}
	})
	for i, n := range r.heard {
		if i != n {
			t.Fatalf("heard %d in place of %d", n, i)
		}
	}
	if len(r.heard) != count || len(r.gaps) > 0 || tokens != 1 {
		t.Errorf("heard %d numbers of %d, was told of %d gaps, needed %d tokens", len(r.heard), count, len(r.gaps), tokens)
	}
}

// The one that comes back has the domain, the permissions and the subscriptions of before.
func TestResumedIdentity(t *testing.T) {
	s := start(t, ticketed(t, ""))
	texts := join(t, s, remote("texts", "texts_service"))
	first, o := begin(t, s, user("one.example", []string{"read"}, "texts"))
	if o.Resumed || o.Ticket == "" || o.Lifetime < 290 || o.Lifetime > 300 {
		t.Fatalf("got %+v", o)
	}
	first.drop()
	second, _ := resumed(t, s, o.Ticket)
	second.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	e := texts.next()
	for _, want := range []string{`"domain_name":"one.example"`, `"permissions":{"read":true}`} {
		if !strings.Contains(e.text, want) {
			t.Errorf("the service gets %s, want %s", e.text, want)
		}
	}
	texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
	second.gets(`"" texts/news #"" 1`)
}

// What a resumed client gets goes by the policies of now, what it missed included.
func TestResumedGoesByPoliciesOfNow(t *testing.T) {
	cfg := ticketed(t, "")
	rule := func(require ...string) map[string]policy.Policy {
		return map[string]policy.Policy{"texts_service": {Require: require, Scopes: []policy.Scope{{To: policy.All}}, History: policy.History{Messages: 10}}}
	}
	cfg.Policies = rule()
	s := start(t, cfg)
	texts := join(t, s, remote("texts", "texts_service"))
	first := connectAt(t, s.Addr().String())
	made := mint(t, cfg.Tokens.Directory, user("one.example", []string{"read"}, "texts"))
	first.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true,"history":{}}}`, made.Name, made.Hash)
	var said struct {
		Resume  offer
		History map[string]json.RawMessage
	}
	if err := json.Unmarshal(first.next().Payload, &said); err != nil {
		t.Fatal(err)
	}
	first.drop()
	texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
	stricter := *cfg
	stricter.Policies = rule("write")
	if _, err := s.Reload(&stricter); err != nil {
		t.Fatal(err)
	}
	second := connectAt(t, s.Addr().String())
	second.sendf(`{"service":"authentication","token":{"name":"resume","hash":%q},"payload":{"history":{"texts":%s}}}`, said.Resume.Ticket, said.History["texts"])
	if e := second.next(); string(e.Code) != "200" {
		t.Fatalf("got %s", e)
	}
	texts.sendf(`{"service":"texts","topic":"news","payload":2}`)
	second.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	second.gets(`403 texts/get #"1" null`)
	second.quiet()
}

// A ticket opens once, however many present it at the same time.
func TestTicketOpensOnce(t *testing.T) {
	s := start(t, ticketed(t, ""))
	first, o := begin(t, s, user("one.example", nil))
	first.drop()
	const rivals = 20
	in := make(chan bool, rivals)
	peers := make([]*peer, rivals)
	for i := range peers {
		peers[i] = connectAt(t, s.Addr().String())
	}
	for _, p := range peers {
		p.sendf(`{"service":"authentication","token":{"name":"resume","hash":%q}}`, o.Ticket)
	}
	for _, p := range peers {
		in <- string(p.next().Code) == "200"
	}
	close(in)
	n := 0
	for good := range in {
		if good {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d came in with one ticket", n)
	}
}

// While the old connection lives, the new one takes its place, and the old one is closed with a code of its own.
func TestTicketTakesOver(t *testing.T) {
	s := start(t, ticketed(t, ""))
	texts := join(t, s, remote("texts", "texts_service"))
	first, o := begin(t, s, user("one.example", nil, "texts"))
	second, next := resumed(t, s, o.Ticket)
	<-first.closed
	if first.code != 4006 {
		t.Errorf("the old connection is closed with %d, want 4006", first.code)
	}
	texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
	second.gets(`"" texts/news #"" 1`)
	select {
	case e := <-first.got:
		t.Errorf("the old connection gets %s", e)
	default:
	}
	third, _ := resumed(t, s, next.Ticket)
	<-second.closed
	refusesTicket(t, s, o.Ticket)
	refusesTicket(t, s, next.Ticket)
	third.quiet()
	if m := s.source().Metrics().Tickets; m.TakenOver != 2 || m.Sessions != 1 || m.Accepted != 2 || m.Refused != 2 || m.Issued != 3 {
		t.Errorf("got %+v", m)
	}
}

// A client that closes the connection in good order ends its tickets, and so does an operator who closes it.
func TestEndOfASessionEndsItsTickets(t *testing.T) {
	s := start(t, ticketed(t, ""))
	ended := func() { eventually(t, "the session ends", func() bool { return s.deps.Counters.Sessions.Load() == 0 }) }
	for _, code := range []uint16{1000, 1001} {
		p, o := begin(t, s, user("one.example", nil))
		_ = p.conn.WriteClose(code, nil)
		<-p.closed
		ended()
		refusesTicket(t, s, o.Ticket)
	}
	p, o := begin(t, s, user("one.example", nil))
	list, err := s.egress.Connections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Peer != nil {
			if err := (shown{System: s}).Disconnect(t.Context(), c.Number); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-p.closed
	ended()
	refusesTicket(t, s, o.Ticket)
}

// The ticket of a token with an end is good until that end only.
func TestTicketEndsWithItsToken(t *testing.T) {
	s := start(t, ticketed(t, ""))
	spec := user("one.example", nil)
	spec.Limit = time.Minute
	_, o := begin(t, s, spec)
	if o.Lifetime > 60 {
		t.Errorf("the ticket is good for %v s, the token for 60", o.Lifetime)
	}
}

// A router that restarts knows its tickets, and which were used. One with another key knows none.
func TestTicketsOverARestart(t *testing.T) {
	key := keyFile(t)
	cfg := ticketed(t, key)
	s, stop := startStoppable(t, cfg)
	used, o := begin(t, s, user("one.example", nil, "texts"))
	used.drop()
	again, _ := resumed(t, s, o.Ticket)
	again.drop()
	_, waits := begin(t, s, user("two.example", nil, "texts"))
	stop()
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}

	s, stop = startStoppable(t, cfg)
	refusesTicket(t, s, o.Ticket)
	texts := join(t, s, remote("texts", "texts_service"))
	p, next := resumed(t, s, waits.Ticket)
	texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
	p.gets(`"" texts/news #"" 1`)
	stop()

	s = start(t, ticketed(t, keyFile(t)))
	refusesTicket(t, s, next.Ticket)
}

// A reload switches tickets on and off, and reads the keys again: the first one seals, the others still open.
func TestTicketKeysAreReplaced(t *testing.T) {
	key := keyFile(t)
	cfg := ticketed(t, key)
	s := start(t, cfg)
	first, o := begin(t, s, user("one.example", nil))
	first.drop()
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	fresh := strings.Repeat("A", 43) + "=\n"
	write := func(text string) {
		if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reload(cfg); err != nil {
			t.Fatal(err)
		}
	}
	write(fresh + string(old))
	p, next := resumed(t, s, o.Ticket)
	p.drop()
	write(fresh)
	p, next = resumed(t, s, next.Ticket)
	p.drop()
	if err := os.WriteFile(key, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(cfg); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a reload with a key file that makes no sense: %v", err)
	}
	off := *cfg
	off.Tokens.Tickets = 0
	if _, err := s.Reload(&off); err != nil {
		t.Fatal(err)
	}
	refusesTicket(t, s, next.Ticket)
	p = connectAt(t, s.Addr().String())
	made := mint(t, cfg.Tokens.Directory, user("one.example", nil))
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true}}`, made.Name, made.Hash)
	p.gets(`200 authentication/authenticated #"" {"resume":{"resumed":false}}`)
}

// A client that does not ask gets what it got before, also where there are tickets.
func TestNoTicketWithoutAsking(t *testing.T) {
	s := start(t, ticketed(t, ""))
	for _, payload := range []string{``, `,"payload":null`, `,"payload":{}`, `,"payload":{"resume":false}`, `,"payload":{"resume":"true"}`, `,"payload":[]`} {
		p := connectAt(t, s.Addr().String())
		made := mint(t, s.cfg.Tokens.Directory, user("one.example", nil))
		p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}%s}`, made.Name, made.Hash, payload)
		p.gets(`200 authentication/authenticated #"" null`)
	}
	service := connectAt(t, s.Addr().String())
	made := mint(t, s.cfg.Tokens.Directory, remote("texts", "texts_service"))
	service.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true}}`, made.Name, made.Hash)
	service.gets(`200 authentication/authenticated #"" null`)
	if n := s.source().Metrics().Tickets.Issued; n != 0 {
		t.Errorf("%d tickets were made", n)
	}
}

// What the identity may has to fit into a ticket.
func TestTicketIsBounded(t *testing.T) {
	s := start(t, ticketed(t, ""))
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("permission_%x", uint32(i)*2654435761))
	}
	p := connectAt(t, s.Addr().String())
	made := mint(t, s.cfg.Tokens.Directory, user("one.example", many))
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true}}`, made.Name, made.Hash)
	p.gets(`200 authentication/authenticated #"" {"resume":{"resumed":false}}`)
	if n := s.source().Metrics().Tickets.TooBig; n != 1 {
		t.Errorf("%d tickets were too big, want 1", n)
	}
}

// A client goes on on another node with the same keys. A ticket that was used on one node is not good on another, and the
// connection that is left behind is closed.
func TestTicketOnAnotherNode(t *testing.T) {
	key := keyFile(t)
	all := nodes(t, 2, func(cfg *config.Config) {
		cfg.Tokens.Tickets, cfg.Tokens.TicketKeyFile = 5*time.Minute, key
	})
	texts := join(t, all[0], remote("texts", "texts_service"))
	first, o := begin(t, all[0], user("one.example", nil, "texts"))
	offered(t, all[1], "texts", 1)
	second, next := resumed(t, all[1], o.Ticket)
	<-first.closed
	if first.code != 4006 {
		t.Errorf("the old connection is closed with %d, want 4006", first.code)
	}
	refusesTicket(t, all[0], o.Ticket)
	eventually(t, "the node watches", func() bool {
		texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
		return len(second.got) > 0
	})
	second.drop()
	third, last := resumed(t, all[0], next.Ticket)
	_ = third.conn.WriteClose(1000, nil)
	<-third.closed
	eventually(t, "the other node hears of the end", func() bool {
		return slices.ContainsFunc(all[1].tokens.tickets.Uses(), func(u ticket.Use) bool { return u.Session.Generation == ticket.Over })
	})
	refusesTicket(t, all[1], last.Ticket)
}

// The Go client is cut off again and again, and needs one token.
func TestGoClientResumes(t *testing.T) {
	const cuts = 20
	s := start(t, ticketed(t, ""))
	texts := join(t, s, remote("texts", "texts_service"))
	proxy := startCutter(t, s.Addr().String())
	made := mint(t, s.cfg.Tokens.Directory, user("one.example", nil, "texts"))
	var tokens atomic.Int64
	online := make(chan struct{}, 2*cuts)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, "ws://"+proxy.addr+"/", func(context.Context) (client.Token, error) {
		tokens.Add(1)
		return made, nil
	}, client.Options{Resume: true, ConnectTimeout: patience, Reconnect: client.Reconnect{Max: 10 * time.Millisecond}, OnState: func(state client.State, _ error) {
		if state == client.StateOnline {
			online <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	heard := make(chan client.Message, 1)
	c.Listen("texts", func(m client.Message) { heard <- m })
	<-online
	for range cuts {
		proxy.cut()
		<-online
		texts.sendf(`{"service":"texts","topic":"news","payload":1}`)
		<-heard
	}
	if n := tokens.Load(); n != 1 {
		t.Errorf("the client needed %d tokens", n)
	}
}
