package actors

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/actors/refusals"
)

// shown is what a client is told of a person.
type shown struct {
	ID          string   `json:"id"`
	Connections int      `json:"connections"`
	User        string   `json:"user_name"`
	Domain      string   `json:"domain_name"`
	Extensions  []string `json:"extensions"`
}

// String returns the person as the tests spell it.
func (s shown) String() string {
	text := s.User
	if s.Domain != "" {
		text += "@" + s.Domain
	}
	return fmt.Sprintf("%s*%d", text, s.Connections)
}

// sight is what a client that watches has made of what it was told.
type sight struct {
	people map[string]shown // by id; nil: nothing was told, or it is told no more
	heard  int              // messages
}

// told is the payload of a message or a reply about who watches.
type told struct {
	Present *[]shown `json:"present"`
	Joined  []shown  `json:"joined"`
	Changed []shown  `json:"changed"`
	Left    []string `json:"left"`
}

// take applies a message. It fails if the message does not fit what came before.
func (s *sight) take(t testing.TB, text []byte) {
	t.Helper()
	var m struct {
		Topic    string          `json:"topic"`
		Payload  json.RawMessage `json:"payload"`
		Presence bool            `json:"presence"`
	}
	if err := json.Unmarshal(text, &m); err != nil || !m.Presence || m.Topic != "presence" || !strings.HasSuffix(string(text), `,"presence":true}`) {
		t.Fatalf("not about who watches: %s", text)
	}
	s.heard++
	var n told
	if err := json.Unmarshal(m.Payload, &n); err != nil {
		t.Fatal(err)
	}
	if string(m.Payload) == `{"present":null}` {
		s.people = nil
		return
	}
	if n.Present != nil {
		s.people = make(map[string]shown)
		n.Joined = *n.Present
	}
	if s.people == nil {
		t.Fatalf("nobody has said who is there before %s", text)
	}
	for _, p := range n.Joined {
		if _, known := s.people[p.ID]; known {
			t.Fatalf("%v joined twice", p)
		}
		s.people[p.ID] = p
	}
	for _, p := range n.Changed {
		if was, known := s.people[p.ID]; !known || was.Connections == p.Connections {
			t.Fatalf("%v did not change: %v", p, was)
		}
		s.people[p.ID] = p
	}
	for _, id := range n.Left {
		if _, known := s.people[id]; !known {
			t.Fatalf("%s left and was not there", id)
		}
		delete(s.people, id)
	}
}

func people(list []shown) string {
	var all []string
	for _, p := range list {
		all = append(all, p.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// String returns who is there.
func (s *sight) String() string { return people(slices.Collect(maps.Values(s.people))) }

// takes applies all that was written to the peer.
func (s *sight) takes(p *peer) {
	p.w.t.Helper()
	for {
		select {
		case m := <-p.socket.written:
			s.take(p.w.t, m.Text())
		default:
			return
		}
	}
}

// as returns the credentials of a user who watches s.
func as(user, domain string, permissions ...string) *Credentials {
	return &Credentials{Role: Client, Services: []string{"s"}, UserName: user, UserUUID: "uuid of " + user, DomainName: domain, DomainUUID: "uuid of " + domain, Permissions: permissions}
}

const asksS = `{"presence":["s"]}`

// onlooker returns a client that is told who watches s.
func (w *world) onlooker(c *Credentials) (*peer, *sight) {
	w.t.Helper()
	p, said := w.asking(c, asksS)
	if said != asksS {
		w.t.Fatalf("the 200 says %s", said)
	}
	return p, new(sight)
}

// interval lets all that happened before be told.
func (w *world) interval() {
	w.t.Helper()
	w.settle(w.router.PID())
	r := w.deps.Registry.Lookup("s")
	if r == nil {
		return
	}
	w.settle(r.Service.PID(), r.Topic.PID())
	w.clock.Advance(defaultPresenceInterval)
	w.settle(r.Topic.PID())
}

// asksWho returns the list that a client gets when it asks.
func (p *peer) asksWho() string {
	p.w.t.Helper()
	p.writef(`{"service":"s","topic":"presence","request_id":"who"}`)
	m := p.next()
	if string(m.RequestID) != `"who"` {
		p.w.t.Fatalf("got %s", line(m))
	}
	return listOf(p.w.t, fmt.Appendf(nil, `{"payload":%s}`, m.Payload))
}

// listOf returns who is in the answer to a request.
func listOf(t testing.TB, text []byte) string {
	t.Helper()
	var m struct{ Payload told }
	if err := json.Unmarshal(text, &m); err != nil || m.Payload.Present == nil {
		t.Fatalf("got %s: %v", text, err)
	}
	return people(*m.Payload.Present)
}

func (s *sight) wants(p *peer, want string) {
	p.w.t.Helper()
	s.takes(p)
	if s.String() != want {
		p.w.t.Fatalf("it sees %q, want %q", s, want)
	}
	if list := p.asksWho(); list != want {
		p.w.t.Fatalf("the list is %q, want %q", list, want)
	}
}

const sociable = `s_service: {scopes: [{permission: all, to: all}, {permission: phone, to: extensions, keys: [e]}, {to: domain, keys: [d]}], presence: [user_name, domain_name]}`

// Who asks for it is told who watches, itself included, and who comes and goes. Several connections of a user are one
// person. Whoever has not asked is told nothing.
func TestPresence(t *testing.T) {
	w := under(t, sociable)
	w.service("s")
	old := w.bearer(as("old", "a"))
	p, sees := w.onlooker(as("alice", "a"))
	p.silent()
	w.interval()
	sees.wants(p, "alice@a*1 old@a*1")
	again := w.bearer(as("old", "a"))
	bob := w.bearer(as("bob", "a"))
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*1 old@a*2")
	w.gone(again)
	w.gone(bob)
	p.silent()
	w.interval()
	sees.wants(p, "alice@a*1 old@a*1")
	if sees.heard != 3 {
		t.Errorf("%d messages, want 3", sees.heard)
	}
	w.interval()
	p.silent()
	old.silent()
	if n := w.deps.Counters.PresencePeople.Load(); n != 2 {
		t.Errorf("%d records are counted", n)
	}
}

// A client that is not subscribed may ask, and one that comes by HTTP too. Without a request id it gets an answer all the same.
func TestPresenceOnRequest(t *testing.T) {
	w := under(t, sociable)
	w.service("s")
	w.bearer(as("alice", "a"))
	w.interval()
	c := as("carol", "a")
	c.Services = nil
	if list := w.bearer(c).asksWho(); list != "alice@a*1" {
		t.Errorf("got %s", list)
	}
}

// A tenant is told of its own people only: at once, later, and when it asks. Only a scope to all sees all, and one to extensions
// those who share one.
func TestPresenceOfTenants(t *testing.T) {
	w := under(t, sociable)
	w.service("s")
	phone := func(user string, extensions ...string) *Credentials {
		c := as(user, "a", "phone")
		c.Extensions = extensions
		return c
	}
	type one struct {
		p    *peer
		sees *sight
		want string
	}
	var all []*one
	add := func(c *Credentials, want string) {
		p, sees := w.onlooker(c)
		all = append(all, &one{p, sees, want})
	}
	add(as("ann", "a"), "ann@a*1 late@a*1 pat@a*1 paul@a*1 root@a*1")
	add(as("bea", "b"), "bea@b*1 late@b*1")
	add(as("nobody", ""), "")
	add(as("root", "a", "all"), "ann@a*1 bea@b*1 late@a*1 late@b*1 nobody*1 pat@a*1 paul@a*1 root@a*1")
	add(phone("pat", "1@a", "2@a"), "pat@a*1 paul@a*1")
	add(phone("paul", "2@a", "3@a"), "pat@a*1 paul@a*1")
	w.interval()
	gone := []*peer{w.bearer(as("late", "a")), w.bearer(as("late", "b"))}
	w.interval()
	for i, o := range all {
		o.sees.takes(o.p)
		if o.sees.String() != o.want {
			t.Errorf("%d sees %q, want %q", i, o.sees, o.want)
		}
		if i == 2 {
			continue // it may not ask
		}
		if list := o.p.asksWho(); list != o.want {
			t.Errorf("%d is answered %q, want %q", i, list, o.want)
		}
	}
	for _, p := range gone {
		w.gone(p)
	}
	w.interval()
	for i, o := range all {
		o.sees.takes(o.p)
		if strings.Contains(o.sees.String(), "late") {
			t.Errorf("%d sees %q", i, o.sees)
		}
	}
	// Ids say nothing of the others: nobody was sent one of another tenant.
	for id := range all[1].sees.people {
		if _, known := all[0].sees.people[id]; known {
			t.Errorf("two tenants know the id %s", id)
		}
	}
}

// Who comes and goes within an interval is told to nobody, and each interval has one message at most.
func TestPresenceUnderChurn(t *testing.T) {
	w := under(t, sociable)
	w.service("s")
	p, sees := w.onlooker(as("alice", "a"))
	w.interval()
	sees.takes(p)
	var open []*peer
	for i := range 100 {
		open = append(open, w.bearer(as(fmt.Sprint("user", i), "a")))
	}
	for _, gone := range open[10:] {
		w.gone(gone)
	}
	p.silent()
	w.interval()
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprintf("user%d@a*1", i))
	}
	sees.wants(p, "alice@a*1 "+strings.Join(want, " "))
	if sees.heard != 2 {
		t.Errorf("%d messages, want 2", sees.heard)
	}
	// They all leave, and half of them come back at once.
	for i, gone := range open[:10] {
		w.gone(gone)
		if i < 5 {
			w.bearer(as(fmt.Sprint("user", i), "a"))
		}
	}
	w.interval()
	sees.wants(p, "alice@a*1 "+strings.Join(want[:5], " "))
	w.topicOf("s", func(of *topic) {
		if n := len(of.presence.people) + len(of.presence.changed); n != 6 || of.presence.places != 6 {
			t.Errorf("%d records are kept and %d places taken, want 6", n, of.presence.places)
		}
	})
}

// A client that comes back with its ticket within the interval has not left.
func TestPresenceOfThoseWhoResume(t *testing.T) {
	w, _ := newSessions(t)
	w.govern(sociable)
	w.service("s")
	p, sees := w.onlooker(as("alice", "a"))
	first := w.greeted()
	first.asks(w.token(as("bob", "a")))
	first.gets(gives("ticket1", false))
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*1")
	subscriber := w.subscriber(first)
	second := w.greeted()
	second.asks("ticket1")
	second.gets(gives("ticket2", true))
	first.closedWith(Resumed)
	w.ended(first.pid)
	w.ended(subscriber)
	w.interval()
	p.silent()
	sees.wants(p, "alice@a*1 bob@a*1")
}

// Without the rule the topic is the service's own, whoever asked for what. A service that says something under the topic is
// not taken for the router.
func TestPresenceIsOff(t *testing.T) {
	for name, text := range map[string]string{
		"nowhere":   `s_service: {scopes: [{to: all}]}`,
		"elsewhere": "s_service: {scopes: [{to: all}]}\nz_service: {scopes: [{to: all}], presence: [user_name]}",
	} {
		t.Run(name, func(t *testing.T) {
			w := under(t, text)
			s := w.service("s")
			w.service("z")
			p, said := w.asking(as("alice", "a"), `{"presence":["s","z","s"]}`)
			if said != asksS {
				t.Errorf("the 200 says %s", said)
			}
			w.interval()
			p.silent()
			p.writef(`{"service":"s","topic":"presence","request_id":"1"}`)
			id := s.asked(` s/presence #"1" null`)
			s.writef(`{"service":"s","topic":"presence","request_id":"1","resource_id":%q,"payload":{"own":1}}`, id)
			s.writef(`{"service":"s","topic":"presence","payload":{"own":2},"presence":true}`)
			p.gets(` s/presence #"1" {"own":1}`)
			if m := p.next(); line(m) != ` s/presence #"" {"own":2}` {
				t.Errorf("got %s", line(m))
			}
			w.topicOf("s", func(of *topic) {
				if of.presence != nil {
					t.Error("something is kept")
				}
			})
		})
	}
}

// A service whose rule is there cannot say what the router says.
func TestPresenceIsNotForged(t *testing.T) {
	w := under(t, sociable)
	s := w.service("s")
	p, _ := w.onlooker(as("alice", "a", "all"))
	s.writef(`{"service":"s","topic":"presence","payload":{"present":[]},"presence":true}`)
	if got := string((<-p.socket.written).Text()); strings.Contains(got, `"presence":true`) {
		t.Errorf("got %s", got)
	}
}

// Permissions say who is told, who may ask, and what of each is told.
func TestPresenceIsForbidden(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}], topic_permissions: {presence: [see]}, requests: {presence: [ask]}, key_permissions: {domain_name: [top]}, keys: [x, domain_name], presence: [user_name, domain_name, extensions]}`)
	w.service("s")
	c := as("top", "a", "ask", "see", "top")
	c.Extensions = []string{"1@a", "2@a"}
	top, sees := w.onlooker(c)
	some, seesSome := w.onlooker(as("some", "a", "ask", "see"))
	mute, _ := w.onlooker(as("mute", "a", "see"))
	blind, _ := w.onlooker(as("blind", "a", "ask"))
	w.interval()
	sees.wants(top, "blind@a*1 mute@a*1 some@a*1 top@a*1")
	seesSome.wants(some, "blind*1 mute*1 some*1 top*1")
	for _, p := range sees.people {
		if p.User == "top" && !slices.Equal(p.Extensions, c.Extensions) {
			t.Errorf("its extensions are %v", p.Extensions)
		}
	}
	new(sight).takes(mute)
	blind.silent()
	for _, p := range []*peer{mute, blind} {
		p.writef(`{"service":"s","topic":"presence","request_id":"1"}`)
		p.gets(`403 s/presence #"1" null`)
	}
	if n := w.deps.Refusals().Count(refusals.RequestRefused); n != 2 {
		t.Errorf("%d refusals are counted", n)
	}
	w.wantDead(Forbidden, 2)
}

// So many people are told of and no more. Who finds no room is told of when there is some.
func TestPresenceIsBounded(t *testing.T) {
	w := under(t, sociable)
	w.change(func(s *Settings) { s.PresencePeople = 2 })
	w.service("s")
	p, sees := w.onlooker(as("alice", "a"))
	bob := w.bearer(as("bob", "a"))
	w.bearer(as("bob", "a"))
	if n := w.deps.Refusals().Count(refusals.PresencePeople); n != 0 {
		t.Errorf("%d counted at the bound", n)
	}
	carol, carolToo := w.bearer(as("carol", "a")), w.bearer(as("carol", "a"))
	long := w.bearer(as(strings.Repeat("x", longestPerson), "a"))
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*2")
	if n := w.deps.Refusals().Count(refusals.PresencePeople); n != 3 {
		t.Errorf("%d counted beyond the bound, want 3", n)
	}
	if n := w.deps.Counters.PresenceUntold.Load(); n != 3 {
		t.Errorf("%d are counted as not told of", n)
	}
	w.gone(long)
	w.change(func(s *Settings) { s.PresencePeople = 3 })
	w.deps.SettingsChanged()
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*2 carol@a*2")
	w.bearer(as("dave", "a"))
	w.gone(carol)
	w.gone(carolToo)
	w.interval() // carol's place is free now
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*2 dave@a*1")
	w.gone(bob)
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*1 dave@a*1")
	if n := w.deps.Counters.PresenceUntold.Load(); n != 0 {
		t.Errorf("%d are counted as not told of", n)
	}
}

// What was told is put together once for all who ask, and the memory for that has a bound.
func TestPresenceListsAreKept(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}], presence: [user_name]}`)
	w.service("s")
	alice, again := w.bearer(as("alice", "a")), w.bearer(as("alice", "a"))
	w.interval()
	first := func() (list *byte, lists int) {
		w.topicOf("s", func(of *topic) {
			p := of.presence
			for _, kept := range p.lists {
				list = &kept[0]
			}
			lists = len(p.lists)
		})
		return list, lists
	}
	alice.asksWho()
	kept, _ := first()
	again.asksWho()
	if list, lists := first(); list != kept || lists != 1 {
		t.Errorf("%d lists are kept, want the first one only", lists)
	}
	w.bearer(as("bob", "a"))
	w.interval()
	if list := alice.asksWho(); list != "alice*2 bob*1" {
		t.Errorf("after a change it is answered %s", list)
	}
	for n := range mostLists {
		c := as("other", fmt.Sprint(n))
		c.Services = nil
		if list := w.bearer(c).asksWho(); list != "" {
			t.Errorf("another domain is answered %s", list)
		}
	}
	if _, lists := first(); lists != 1 {
		t.Errorf("%d lists are kept, want 1 after %d", lists, mostLists)
	}
}

// A reload holds at once, whether the service says anything or not. One that changes nothing says nothing.
func TestPresenceAfterAReload(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}]}`)
	w.service("s")
	p, sees := w.onlooker(as("alice", "a", "see"))
	blind, blindSees := w.onlooker(as("bob", "a"))
	reload := func(rules string) {
		w.govern(`s_service: {scopes: [{to: domain, keys: [d]}]` + rules + `}`)
		w.deps.SettingsChanged()
		w.interval()
		sees.takes(p)
		blindSees.takes(blind)
	}
	w.interval()
	p.silent()
	reload(`, presence: [user_name]`)
	sees.wants(p, "alice*1 bob*1")
	blindSees.wants(blind, "alice*1 bob*1")
	heard := sees.heard
	reload(`, presence: [user_name]`)
	if sees.heard != heard {
		t.Error("a reload that changes nothing says something")
	}
	reload(`, presence: [user_name, domain_name], topic_permissions: {presence: [see]}`)
	sees.wants(p, "alice@a*1 bob@a*1")
	if blindSees.people != nil {
		t.Errorf("who may see nothing any more sees %v", blindSees)
	}
	reload(``)
	if sees.people != nil {
		t.Errorf("without the rule it sees %v", sees)
	}
	if n := w.deps.Counters.PresencePeople.Load(); n != 0 {
		t.Errorf("%d records are counted", n)
	}
	reload(`, presence: [user_name]`)
	sees.wants(p, "alice*1 bob*1")
	w.gone(p)
	w.interval()
	blindSees.wants(blind, "bob*1")
}

// While the service is away the last policy counts. Instances with different policies tell nothing.
func TestPresenceGoesByTheInstances(t *testing.T) {
	w := under(t, sociable+"\nother: {scopes: [{to: all}], presence: [user_name]}")
	s := w.service("s")
	p, sees := w.onlooker(as("alice", "a"))
	w.interval()
	sees.wants(p, "alice@a*1")
	w.gone(s)
	w.bearer(as("bob", "a"))
	w.interval()
	sees.wants(p, "alice@a*1 bob@a*1")
	s = w.service("s")
	w.interval()
	p.silent()
	other := w.bearer(&Credentials{Role: Service, Service: "s", Class: "other"})
	w.interval()
	sees.takes(p)
	if sees.people != nil {
		t.Errorf("with two policies it sees %v", sees)
	}
	w.gone(s)
	w.interval()
	sees.wants(p, "alice*1 bob*1")
	w.gone(other)
}

// Another process goes on to tell whoever has asked.
func TestPresenceIsHandedOver(t *testing.T) {
	before, w := under(t, sociable), under(t, sociable)
	before.service("s")
	p, _ := before.onlooker(as("alice", "a"))
	w.service("s")
	there := w.adopt(p, map[string]*Peer{})
	w.interval()
	new(sight).wants(there, "alice@a*1")
}

// What comes about a person keeps its order with what the service says, and none of it has a position in a history.
func TestPresenceKeepsItsOrder(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}], presence: [user_name], history: {messages: 10}, slow: drop_oldest}`)
	s := w.service("s")
	p, _ := w.asking(as("alice", "a"), `{"presence":["s"],"history":{}}`)
	for n := range 3 {
		w.bearer(as(fmt.Sprint("user", n), "a"))
		s.writef(`{"service":"s","payload":%d}`, n)
		w.settleName(s, "s")
		w.interval()
	}
	for n := range 3 {
		if payload, at := p.hears(); payload != fmt.Sprint(n) || at.Offset != int64(n+1) {
			t.Errorf("got %s at %v", payload, at)
		}
		m := <-p.socket.written
		if m.Recorded != nil || !strings.Contains(string(m.Text()), fmt.Sprint("user", n)) {
			t.Errorf("got %s", m.Text())
		}
	}
}

// The interval is a setting.
func TestPresenceInterval(t *testing.T) {
	w := under(t, sociable)
	w.change(func(s *Settings) { s.PresenceInterval = time.Minute })
	w.service("s")
	p, sees := w.onlooker(as("alice", "a"))
	w.interval()
	p.silent()
	w.clock.Advance(time.Minute)
	w.settleName(p, "s")
	sees.wants(p, "alice@a*1")
}
