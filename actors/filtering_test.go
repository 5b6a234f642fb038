package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/filter"
	"strowger/transport/wire"
)

// policies compiles policies given as YAML; whoever has none is denied.
func policies(t testing.TB, text string) *Policies {
	t.Helper()
	parsed, err := filter.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	filters := map[string]*filter.Filter{}
	for name, p := range parsed {
		if filters[name], err = filter.Compile(p); err != nil {
			t.Fatal(err)
		}
	}
	return NewPolicies(filters, filter.Deny())
}

// under makes a world whose policies are text.
func under(t testing.TB, text string) *world {
	t.Helper()
	w := newWorld(t)
	w.govern(text)
	return w
}

// govern swaps the policies, as a reload does.
func (w *world) govern(text string) {
	w.t.Helper()
	p := policies(w.t, text)
	w.change(func(s *Settings) { s.Policies = p })
}

// user returns a client of the domain that watches s; the words are its permissions.
func (w *world) user(domain string, permissions ...string) *peer {
	w.t.Helper()
	return w.bearer(&Credentials{Role: Client, Services: []string{"s"}, DomainName: domain, Permissions: permissions})
}

// topicOf lets f see the topic of a name.
func (w *world) topicOf(name string, f func(*topic)) {
	w.t.Helper()
	r := w.deps.Registry.Lookup(name)
	if r == nil {
		w.t.Fatalf("nobody offers or watches %s", name)
	}
	w.settle(w.router, r.Service)
	w.look(r.Topic, func(a actor.Actor) { f(a.(*topic)) })
}

const salaries = `
s_service:
  scopes: [{permission: all, to: all}, {to: domain, keys: [d]}]
  key_permissions: {salary: [see_salary]}
`

func TestEachClassGetsItsOwn(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	type member struct {
		*peer
		want string
	}
	var members []member
	for range 3 {
		members = append(members,
			member{w.user("a.x", "all", "see_salary"), `{"d":"a.x","salary":1.50,"n":"e"}`},
			member{w.user("b.x", "all"), `{"d":"a.x","n":"e"}`},
			member{w.user("a.x"), `{"d":"a.x","n":"e"}`},
			member{w.user("b.x", "see_salary"), ""})
	}
	s.writef(`{"service":"s","topic":"x","payload":{"d":"a.x","salary":1.50,"n":"e"}}`)
	s.writef(`{"service":"s","topic":"end","payload":{"d":"b.x"}}`)
	w.settleName(s, "s")
	for i, m := range members {
		if m.want != "" {
			m.gets(` s/x #"" ` + m.want)
		}
		if i%4 != 2 {
			m.gets(` s/end #"" {"d":"b.x"}`)
		}
		m.silent()
	}
	w.topicOf("s", func(tp *topic) {
		if n := len(tp.views[tp.speakers[onlySpeaker(tp)].filter].audiences); n != 4 {
			t.Errorf("%d classes of 12 members, want 4", n)
		}
	})
}

func onlySpeaker(tp *topic) *Peer {
	for p := range tp.speakers {
		return p
	}
	return nil
}

// A broadcast is encoded once for all who get the same.
func TestClassSharesItsFrame(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	members := []*peer{w.user("a.x"), w.user("a.x", "none"), w.user("a.x", "all", "see_salary"), w.user("a.x", "see_salary")}
	s.writef(`{"service":"s","payload":{"d":"a.x","salary":1}}`)
	var frames [][]byte
	for _, m := range members {
		frames = append(frames, (<-m.socket.written).Bytes)
	}
	if &frames[0][0] != &frames[1][0] {
		t.Error("two members of one class got two frames")
	}
	if &frames[2][0] != &frames[3][0] {
		t.Error("two classes that see everything got two frames")
	}
	if len(frames[0]) >= len(frames[2]) {
		t.Error("nothing was removed")
	}
}

// protocol 11.7: whoever comes first, nobody is ever without a filter.
func TestServiceComesLate(t *testing.T) {
	w := under(t, salaries)
	a, b := w.user("a.x"), w.user("b.x", "see_salary")
	s := w.service("s")
	c := w.user("a.x", "see_salary")
	s.writef(`{"service":"s","payload":{"d":"a.x","salary":1}}`)
	w.settleName(s, "s")
	a.gets(` s/ #"" {"d":"a.x"}`)
	c.gets(` s/ #"" {"d":"a.x","salary":1}`)
	b.silent()
	w.gone(s)
	d := w.user("b.x")
	again := w.service("s")
	again.writef(`{"service":"s","payload":{"d":"b.x","salary":1}}`)
	w.settleName(again, "s")
	b.gets(` s/ #"" {"d":"b.x","salary":1}`)
	d.gets(` s/ #"" {"d":"b.x"}`)
	a.silent()
	c.silent()
}

// Instances of one name may be of different classes: what one says goes by its own policy.
func TestInstancesOfTwoClasses(t *testing.T) {
	w := under(t, `
open: {scopes: [{to: all}]}
shut: {scopes: [{to: none}]}
half: {keys: [a]}
`)
	p := w.client("s")
	instance := func(class string) *peer {
		return w.bearer(&Credentials{Role: Service, Service: "s", Class: class})
	}
	open, shut, half, unknown := instance("open"), instance("shut"), instance("half"), instance("unknown")
	say := func(s *peer, n int) {
		s.writef(`{"service":"s","payload":{"a":%d,"b":1}}`, n)
		w.settleName(s, "s")
	}
	for _, s := range []*peer{shut, unknown, half, open} {
		say(s, 1)
	}
	p.gets(` s/ #"" {"a":1}`, ` s/ #"" {"a":1,"b":1}`)
	for _, s := range []*peer{open, unknown, half} {
		w.gone(s)
	}
	say(shut, 2)
	p.silent()
	w.topicOf("s", func(tp *topic) {
		if len(tp.speakers) != 1 {
			t.Errorf("%d speakers, want 1", len(tp.speakers))
		}
	})
	// The next that comes leaves only the views in use.
	instance("half")
	w.topicOf("s", func(tp *topic) {
		if len(tp.views) != 2 {
			t.Errorf("%d views of 2 speakers", len(tp.views))
		}
	})
}

// The name's policy goes before the class's, and what the service brought along before both.
func TestWhosePolicyCounts(t *testing.T) {
	p := policies(t, `{s: {keys: [name]}, c: {keys: [class]}}`)
	own := filter.Pass()
	for name, test := range map[string]struct {
		peer  *Peer
		want  *filter.Filter
		found bool
	}{
		"own":           {&Peer{Name: "s", Class: "c", Policy: own}, own, true},
		"name":          {&Peer{Name: "s", Class: "c"}, p.filters["s"], true},
		"class":         {&Peer{Name: "other", Class: "c"}, p.filters["c"], true},
		"neither":       {&Peer{Name: "other", Class: "other"}, p.fallback, false},
		"class as name": {&Peer{Name: "c", Class: "other"}, p.filters["c"], true},
	} {
		if got, found := p.Of(test.peer); got != test.want || found != test.found {
			t.Errorf("%s: got %p, %v, want %p, %v", name, got, found, test.want, test.found)
		}
	}
	for _, none := range []*Policies{nil, {}} {
		if f, found := none.Of(&Peer{Name: "s"}); f != nil || found {
			t.Error("without policies somebody has one")
		}
	}
}

// log gathers log lines.
type log struct {
	mu sync.Mutex // Protects following.
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.String(), text)
}

func TestServiceWithoutPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		policies *Policies
		open     bool
		warnings int
	}{
		"denied":                 {NewPolicies(nil, filter.Deny()), false, 1},
		"allowed":                {NewPolicies(nil, filter.Pass()), true, 1},
		"no policies of any one": {nil, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			lines := new(log)
			w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
			w.change(func(s *Settings) { s.Policies = test.policies })
			p := w.client("s")
			for range 3 {
				s := w.service("s")
				s.writef(`{"service":"s","payload":1}`)
				w.settleName(s, "s")
				p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
				if test.open {
					p.gets(` s/ #"" 1`)
					s.asked(` s/t #"1" null`)
				} else {
					p.gets(`403 s/t #"1" null`)
					s.silent()
				}
				w.gone(s)
				if test.open {
					p.gets(`503 s/t #"1" null`)
				}
			}
			if n := lines.count("service without a policy"); n != test.warnings {
				t.Errorf("%d warnings, want %d", n, test.warnings)
			}
			if n := lines.count("routing.default_policy"); n != test.warnings {
				t.Errorf("the setting is named %d times, want %d", n, test.warnings)
			}
			if !test.open {
				w.wantDead(Forbidden, 3)
			}
		})
	}
}

// A reload that takes a policy away is told of as a new service without one is.
func TestReloadThatTakesAPolicyAway(t *testing.T) {
	lines := new(log)
	w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
	w.govern(salaries)
	s := w.service("s")
	w.settleName(s, "s")
	if n := lines.count("service without a policy"); n != 0 {
		t.Errorf("%d warnings of a service with a policy", n)
	}
	w.govern(``)
	for range 2 {
		s.writef(`{"service":"s","payload":1}`)
	}
	w.settleName(s, "s")
	if n := lines.count("service without a policy"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

// From the moment the policies are swapped nothing goes by the old ones.
func TestReloadOfPolicies(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	a, b := w.user("a.x"), w.user("a.x", "see_salary")
	const message = `{"service":"s","payload":{"d":"a.x","salary":1}}`
	say := func() {
		s.writef(message)
		w.settleName(s, "s")
	}
	say()
	a.gets(` s/ #"" {"d":"a.x"}`)
	b.gets(` s/ #"" {"d":"a.x","salary":1}`)
	w.govern(`s_service: {require: [see_salary], key_permissions: {d: [see_d]}}`)
	say()
	b.gets(` s/ #"" {"salary":1}`)
	w.change(func(s *Settings) { s.Policies = NewPolicies(nil, filter.Deny()) })
	say()
	w.govern(`s_service: {scopes: [{to: all}]}`)
	say()
	for _, p := range []*peer{a, b} {
		p.gets(` s/ #"" {"d":"a.x","salary":1}`)
		p.silent()
	}
	w.topicOf("s", func(tp *topic) {
		if len(tp.views) != 1 {
			t.Errorf("%d views after three reloads, want 1", len(tp.views))
		}
	})
	left := 0
	for _, g := range w.egress.all() {
		left += len(g.members)
	}
	if left != 2 {
		t.Errorf("2 members are in %d groups", left)
	}
}

// An audience without members is forgotten, or classes would pile up for ever.
func TestAudiencesEnd(t *testing.T) {
	w := under(t, salaries)
	w.service("s")
	stays := w.user("a.x")
	for i := range 5 {
		w.gone(w.user(fmt.Sprint(i, ".x")))
	}
	w.settleName(stays, "s")
	w.topicOf("s", func(tp *topic) {
		v := tp.speakers[onlySpeaker(tp)]
		if len(tp.members) != 1 || len(v.audiences) != 1 {
			t.Errorf("%d members in %d audiences, want 1 in 1", len(tp.members), len(v.audiences))
		}
	})
}

func TestRepliesAreFiltered(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	ask := func(p *peer, id string) string {
		p.writef(`{"service":"s","topic":"get","request_id":%q}`, id)
		return s.asked(fmt.Sprintf(` s/get #%q null`, id))
	}
	a, root := w.user("a.x"), w.user("b.x", "all", "see_salary")
	idA, idRoot := ask(a, "1"), ask(root, "1")
	s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"a.x","salary":1}}`, idA)
	s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"a.x","salary":1}}`, idRoot)
	a.gets(` s/got #"1" {"d":"a.x"}`)
	root.gets(` s/got #"1" {"d":"a.x","salary":1}`)
	w.wantDead(Filtered, 0)

	// What is dropped is made up for once.
	ask(a, "2")
	for range 3 {
		s.writef(`{"service":"s","topic":"got","request_id":"2","resource_id":%q,"payload":{"d":"b.x"}}`, idA)
	}
	s.writef(`{"service":"s","topic":"got","request_id":"2","resource_id":%q,"payload":{"d":"a.x"}}`, idA)
	a.gets(`403 s/got #"2" null`, ` s/got #"2" {"d":"a.x"}`)
	w.wantDead(Filtered, 3)

	// One that nobody waits for is not.
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s.writef(`{"service":"s","topic":"got","request_id":"3","resource_id":%q,"payload":{"d":"b.x"}}`, idA)
	w.settleName(s, "s")
	a.silent()
	w.wantDead(Filtered, 4)
}

// Of rows that come in any number the foreign ones leave no trace: not even their number shows.
func TestStreamedRepliesAreDroppedSilently(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}], streams: [row]}`)
	s, a := w.service("s"), w.user("a.x")
	a.writef(`{"service":"s","topic":"rows","request_id":"1"}`)
	id := s.asked(` s/rows #"1" null`)
	for _, domain := range []string{"b.x", "a.x", "b.x", "b.x", "a.x"} {
		s.writef(`{"service":"s","topic":"row","request_id":"1","resource_id":%q,"payload":{"d":%q}}`, id, domain)
	}
	w.settleName(s, "s")
	a.gets(` s/row #"1" {"d":"a.x"}`, ` s/row #"1" {"d":"a.x"}`)
	a.silent()
	w.wantDead(Filtered, 3)
}

func TestRequestsAreJudged(t *testing.T) {
	w := under(t, `
s_service:
  scopes: [{permission: root, to: all}, {to: domain, keys: [d]}]
  requests: {kill: [may_kill]}
  tenant_keys: [d]
`)
	s := w.service("s")
	a, root := w.user("a.x", "may_kill"), w.user("a.x", "root")
	a.writef(`{"service":"s","topic":"kill","request_id":"1","payload":{"d":"a.x"}}`)
	s.asked(` s/kill #"1" {"d":"a.x"}`)
	a.writef(`{"service":"s","topic":"kill","request_id":"2","payload":{"d":"b.x"}}`)
	a.gets(`403 s/kill #"2" null`)
	a.writef(`{"service":"s","topic":["kill"],"request_id":3}`)
	a.gets(`403 s/ #3 null`)
	root.writef(`{"service":"s","topic":"kill","request_id":"4"}`)
	root.gets(`403 s/kill #"4" null`)
	root.writef(`{"service":"s","topic":"see","request_id":"5","payload":{"d":"b.x"}}`)
	s.asked(` s/see #"5" {"d":"b.x"}`)
	w.settleName(a, "s")
	s.silent()
	w.wantDead(Forbidden, 3)
	if n := w.deps.Counters.Requests.Load(); n != 2 {
		t.Errorf("%d requests counted, want 2", n)
	}
}

// Of several instances only those get a request whose policies allow it.
func TestRequestToInstancesOfTwoClasses(t *testing.T) {
	w := under(t, `{open: {scopes: [{to: all}]}, guarded: {requests: {t: [p]}}}`)
	guarded := w.bearer(&Credentials{Role: Service, Service: "s", Class: "guarded"})
	open := w.bearer(&Credentials{Role: Service, Service: "s", Class: "open"})
	a, b := w.client(), w.bearer(&Credentials{Role: Client, Permissions: []string{"p"}})
	a.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	open.asked(` s/t #"1" null`)
	b.writef(`{"service":"s","topic":"t","request_id":"2"}`)
	open.asked(` s/t #"2" null`)
	guarded.asked(` s/t #"2" null`)
	w.settleName(a, "s")
	guarded.silent()
}

// A service may bring its policy along, as those do that run in this process.
func TestPolicyOfItsOwn(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}]}`)
	f, err := filter.Compile(filter.Policy{Keys: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.client("s")
	own := &Peer{ID: "own", Name: "s", Class: "s_service", Policy: f, Socket: newFakeSocket()}
	w.deps.send(w.router, &Offer{Peer: own})
	w.settle(w.router)
	route := w.deps.Registry.Lookup("s")
	w.deps.send(route.Service, &say{envelope: &wire.Envelope{ServiceName: wire.Raw(`"s"`), Payload: wire.Raw(`{"a":1,"b":2}`)}, from: own})
	p.gets(` s/ #"" {"a":1}`)
	w.deps.send(w.router, &Withdraw{Peer: own})
}

func TestExplainOfTopic(t *testing.T) {
	w := under(t, salaries)
	p := w.user("a.x")
	var peer *Peer
	w.look(p.pid, func(a actor.Actor) { peer = a.(*connection).peer })
	ask := func(id string) *Explained {
		t.Helper()
		m := &Explain{Subscriber: id, Topic: "t", Payload: []byte(`{"d":"a.x","salary":1}`)}
		result, err := w.deps.System.Root.RequestFuture(w.deps.Registry.Lookup("s").Topic, m, patience).Result()
		if err != nil {
			t.Fatal(err)
		}
		return result.(*Explained)
	}
	if e := ask(peer.ID); !e.Member || len(e.Accounts) != 0 {
		t.Errorf("without an instance: %+v", e)
	}
	s := w.service("s")
	if e := ask("nobody"); e.Member || len(e.Accounts) != 0 {
		t.Errorf("of nobody: %+v", e)
	}
	e := ask(peer.ID)
	if !e.Member || len(e.Accounts) != 1 || e.Accounts[0].Class != "s_service" || e.Accounts[0].Own || string(e.Accounts[0].Payload) != `{"d":"a.x"}` {
		t.Errorf("got %+v", e)
	}
	w.govern(`s_service: {require: [x]}`)
	if e := ask(peer.ID); len(e.Accounts) != 1 || e.Accounts[0].Verdict != filter.Drop {
		t.Errorf("after a reload: %+v", e)
	}
	s.silent()
}
