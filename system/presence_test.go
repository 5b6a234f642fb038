package system

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/config"
	"strowger/config/policy"
)

// watchers is what a client has made of what it was told of those who watch.
type watchers map[string]string

// take applies what the client was told.
func (w *watchers) take(t *testing.T, text string) {
	t.Helper()
	type person struct {
		ID          string
		Connections int
		User        string `json:"user_name"`
	}
	var m struct {
		Presence bool
		Payload  struct {
			Present         *[]person
			Joined, Changed []person
			Left            []string
		}
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil || !m.Presence {
		t.Fatalf("got %s: %v", text, err)
	}
	p := &m.Payload
	if p.Present != nil {
		*w = make(watchers)
		p.Joined = *p.Present
	}
	for _, who := range slices.Concat(p.Joined, p.Changed) {
		(*w)[who.ID] = fmt.Sprintf("%s*%d", who.User, who.Connections)
	}
	for _, id := range p.Left {
		delete(*w, id)
	}
}

func (w watchers) String() string { return strings.Join(slices.Sorted(maps.Values(w)), " ") }

// become reads what the peer is told until it sees what is wanted.
func (w *watchers) become(p *peer, want string) {
	p.t.Helper()
	for w.String() != want {
		select {
		case e := <-p.got:
			w.take(p.t, e.text)
		case <-time.After(patience):
			p.t.Fatalf("it sees %s, want %s", w, want)
		}
	}
}

// social has texts tell who watches it, of the same domain.
func social(cfg *config.Config) {
	cfg.Routing.PresenceInterval = 100 * time.Millisecond
	cfg.Policies = map[string]policy.Policy{"texts": {Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d"}}}, Presence: []string{policy.UserName}}}
}

// watches returns a client that watches texts, and is told who else does if it asks.
func watches(t *testing.T, s *System, name, domain, asks string) *peer {
	t.Helper()
	spec := user(domain, nil, "texts")
	spec.UserName = name
	made := mint(t, s.running.Load().Tokens.Directory, spec)
	p := connectAt(t, s.Addr().String())
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":%s}`, made.Name, made.Hash, asks)
	if e := p.next(); string(e.Code) != "200" || string(e.Payload) != asks {
		t.Fatalf("got %v", e)
	}
	return p
}

const asksTexts = `{"presence":["texts"]}`

// Two tenants at one service are told of their own people only. An old client is told nothing.
func TestPresenceOfTwoTenants(t *testing.T) {
	cfg := testConfig(t)
	social(cfg)
	cfg.Routing.UnknownService = "503"
	s := start(t, cfg)
	ann, bea := watches(t, s, "ann", "a.example", asksTexts), watches(t, s, "bea", "b.example", asksTexts)
	old := watches(t, s, "old", "a.example", "null")
	var a, b watchers
	a.become(ann, "ann*1 old*1")
	b.become(bea, "bea*1")
	for i := range 5 {
		watches(t, s, fmt.Sprint("more", i), "a.example", "null")
	}
	a.become(ann, "ann*1 more0*1 more1*1 more2*1 more3*1 more4*1 old*1")
	bea.sendf(`{"service":"texts","topic":"presence","request_id":"1"}`)
	// Had it been told anything meanwhile, this would not be the next.
	if e := bea.next(); !strings.Contains(e.text, `"request_id":"1"`) || strings.Count(string(e.Payload), `"id"`) != 1 || !strings.Contains(string(e.Payload), `"bea"`) {
		t.Errorf("got %s", e.text)
	}
	old.quiet()
	old.leave()
	a.become(ann, "ann*1 more0*1 more1*1 more2*1 more3*1 more4*1")
}

// The people of all nodes are told of on each. Those of a node that dies have left.
func TestPresenceOnNodesOfWhichOneDies(t *testing.T) {
	all := nodes(t, 3, social)
	a := watches(t, all[0], "ann", "one.example", asksTexts)
	b := watches(t, all[1], "bob", "one.example", asksTexts)
	watches(t, all[2], "cid", "one.example", "null")
	watches(t, all[2], "ann", "one.example", "null")
	watches(t, all[2], "eve", "two.example", "null")
	var seesA, seesB watchers
	seesA.become(a, "ann*2 bob*1 cid*1")
	seesB.become(b, "ann*2 bob*1 cid*1")
	all[2].cluster.bus.Close() // it says nothing any more, as if its machine had lost its power
	seesA.become(a, "ann*1 bob*1")
	seesB.become(b, "ann*1 bob*1")
	late := watches(t, all[1], "dee", "one.example", "null")
	seesA.become(a, "ann*1 bob*1 dee*1")
	late.leave()
	seesA.become(a, "ann*1 bob*1")
	b.leave()
	seesA.become(a, "ann*1")
}

// A stream of server-sent events is told too, if its URL asks for it.
func TestPresenceByEvents(t *testing.T) {
	cfg := testConfig(t)
	social(cfg)
	cfg.Listen.HTTP = true
	s := start(t, cfg)
	spec := user("a.example", nil, "texts")
	spec.UserName = "ann"
	made := mint(t, cfg.Tokens.Directory, spec)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/events?presence=texts&presence=none&token_name="+made.Name+"&token_hash="+made.Hash, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var sees watchers
	lines, old := bufio.NewScanner(answer.Body), false
	for sees.String() != "ann*1 old*1" && lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "id":
			t.Errorf("an id: %s", value)
		case field != "data" || strings.Contains(value, `"stream"`):
		case strings.Contains(value, `"authenticated"`):
			if !strings.Contains(value, `"payload":`+asksTexts) {
				t.Errorf("the 200 is %s", value)
			}
		default:
			sees.take(t, value)
			if !old {
				old = true
				watches(t, s, "old", "a.example", "null")
			}
		}
	}
	if sees.String() != "ann*1 old*1" {
		t.Errorf("it sees %s", sees)
	}
}

// A reload begins and ends to tell, though nobody says anything.
func TestPresenceByReload(t *testing.T) {
	cfg := testConfig(t)
	social(cfg)
	on := cfg.Policies
	cfg.Policies = nil
	s := start(t, cfg)
	ann := watches(t, s, "ann", "a.example", asksTexts)
	var sees watchers
	for range 2 {
		begun, ended := *cfg, *cfg
		begun.Policies = on
		if _, err := s.Reload(&begun); err != nil {
			t.Fatal(err)
		}
		sees.become(ann, "ann*1")
		if _, err := s.Reload(&ended); err != nil {
			t.Fatal(err)
		}
		if e := ann.next(); string(e.Payload) != `{"present":null}` {
			t.Errorf("got %s", e.text)
		}
		sees = nil
	}
}
