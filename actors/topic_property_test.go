package actors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"strowger/actors/filter"
	"strowger/transport/wire"
)

// The words of random policies, subjects and messages: few, so that they often meet.
var (
	someRights  = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), rapid.ID[string])
	someKeys    = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "dom"}), rapid.ID[string])
	oneDomain   = rapid.SampledFrom([]string{"a.x", "b.x", ""})
	oneClass    = rapid.SampledFrom([]string{"c1", "c2", "none"})
	onePayload  = rapid.SampledFrom([]string{`{"dom":"a.x","a":1.0,"b":[2]}`, `{"dom":"b.x","a":1}`, `{"b":{"a":1}}`, `[{"dom":"a.x"},{"dom":"b.x"}]`, `null`, ``, `"x"`, `{}`})
	oneTopic    = rapid.SampledFrom([]string{"t", "u"})
	atLeastOnce = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), 1, 2, rapid.ID[string])
)

func anyPolicy(t *rapid.T) *filter.Filter {
	var p filter.Policy
	if rapid.Bool().Draw(t, "require") {
		p.Require = atLeastOnce.Draw(t, "required")
	}
	p.Keys = someKeys.Draw(t, "keys")
	p.KeyPermissions = map[string][]string{}
	for _, key := range someKeys.Draw(t, "guarded") {
		p.KeyPermissions[key] = atLeastOnce.Draw(t, "guards")
	}
	if rapid.Bool().Draw(t, "topics") {
		p.TopicPermissions = map[string][]string{"u": atLeastOnce.Draw(t, "topic")}
	}
	if rapid.Bool().Draw(t, "all") {
		p.Scopes = append(p.Scopes, filter.Scope{Permission: "q", To: filter.All})
	}
	if rapid.Bool().Draw(t, "domain") {
		p.Scopes = append(p.Scopes, filter.Scope{To: filter.Domain, Keys: []string{"dom"}, ListKeys: []string{"dom"}})
	}
	if f, err := filter.Compile(p); err == nil {
		return f
	}
	return filter.Pass()
}

func anyPolicies(t *rapid.T) *Policies {
	fallback := filter.Deny()
	if rapid.Bool().Draw(t, "allow") {
		fallback = filter.Pass()
	}
	return NewPolicies(map[string]*filter.Filter{"c1": anyPolicy(t), "c2": anyPolicy(t)}, fallback)
}

// model is a topic and what must be true of it, driven without a mailbox.
type model struct {
	deps     *Deps
	topic    *topic
	members  []*Peer
	speakers []*Peer
	all      []*Peer // whoever was a member or speaker
}

// TestTopicEqualsNaiveFilter does anything in any order to a topic. Each broadcast must reach each
// member as if it were filtered for that one alone, and nobody else.
func TestTopicEqualsNaiveFilter(t *testing.T) {
	delivered := 0
	rapid.Check(t, func(t *rapid.T) {
		d := newDeps()
		m := &model{deps: d, topic: &topic{deps: d, members: make(map[*Peer]struct{}), views: make(map[*filter.Filter]*view), speakers: make(map[*Peer]*view)}}
		m.reload(t)
		t.Repeat(map[string]func(*rapid.T){
			"join":      m.join,
			"leave":     m.leave,
			"speak":     m.speak,
			"hush":      m.hush,
			"reload":    m.reload,
			"broadcast": func(t *rapid.T) { delivered += m.broadcast(t) },
			"":          m.check,
		})
	})
	if delivered < 100 {
		t.Errorf("only %d deliveries: the generator tests nothing", delivered)
	}
}

func (m *model) reload(t *rapid.T) {
	s := *m.deps.settings()
	s.Policies = anyPolicies(t)
	m.deps.Settings.Store(&s)
}

func (m *model) peer(c *Credentials) *Peer {
	s := newFakeSocket()
	s.admitted = true
	p := m.deps.newPeer(c, s)
	m.all = append(m.all, p)
	return p
}

func (m *model) join(t *rapid.T) {
	p := m.peer(&Credentials{Role: Client, DomainName: oneDomain.Draw(t, "domain"), Permissions: slices.Sorted(slices.Values(someRights.Draw(t, "rights")))})
	m.members = append(m.members, p)
	m.topic.join(nil, &join{peer: p})
}

func (m *model) leave(t *rapid.T) {
	if len(m.members) == 0 {
		t.Skip("nobody is there")
	}
	i := rapid.IntRange(0, len(m.members)-1).Draw(t, "who")
	m.topic.leave(m.members[i])
	m.members = slices.Delete(m.members, i, i+1)
}

func (m *model) speak(t *rapid.T) {
	p := m.peer(&Credentials{Role: Service, Service: "s", Class: oneClass.Draw(t, "class")})
	if rapid.Bool().Draw(t, "own") {
		p.Policy = anyPolicy(t)
	}
	if rapid.Bool().Draw(t, "member too") {
		m.members = append(m.members, p)
		m.topic.join(nil, &join{peer: p})
	}
	m.speakers = append(m.speakers, p)
	m.topic.speak(p)
}

func (m *model) hush(t *rapid.T) {
	if len(m.speakers) == 0 {
		t.Skip("nobody speaks")
	}
	i := rapid.IntRange(0, len(m.speakers)-1).Draw(t, "who")
	m.topic.hush(m.speakers[i])
	m.speakers = slices.Delete(m.speakers, i, i+1)
}

func (m *model) broadcast(t *rapid.T) (delivered int) {
	from := &Peer{Name: "s", Class: oneClass.Draw(t, "class"), Socket: newFakeSocket()} // it has left
	if len(m.speakers) > 0 && rapid.Bool().Draw(t, "present") {
		from = rapid.SampledFrom(m.speakers).Draw(t, "from")
	}
	name, payload := oneTopic.Draw(t, "topic"), onePayload.Draw(t, "payload")
	e := &wire.Envelope{ServiceName: wire.Raw(`"s"`), Topic: wire.QuoteString(name)}
	if payload != "" {
		e.Payload = wire.Raw(payload)
	}
	m.topic.broadcast(&broadcast{envelope: e, from: from})
	if string(e.Payload) != payload {
		t.Fatalf("the message itself was changed to %s", e.Payload)
	}
	f := m.deps.policy(from)
	for _, p := range m.all {
		out, verdict := f.Apply(f.Class(p.subject()), name, bytes.Clone(e.Payload), nil)
		want := []string{string(out)}
		if verdict == filter.Drop || p == from || !slices.Contains(m.members, p) {
			want = nil
		} else if len(out) == 0 {
			want = []string{"null"}
		}
		if got := m.got(t, p); !slices.Equal(got, want) {
			t.Fatalf("%+v of policy %p got %q, want %q", p.subject(), f, got, want)
		}
		delivered += len(want)
	}
	return delivered
}

// got returns the payloads that were written to a peer since the last time.
func (m *model) got(t *rapid.T, p *Peer) (payloads []string) {
	written := p.Socket.(*fakeSocket).written
	for len(written) > 0 {
		f := <-written
		message, err := wire.Decode(f.Bytes[bytes.IndexByte(f.Bytes, '{'):], wire.MaxDepth)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(message.Payload))
	}
	return payloads
}

// check holds the views to the members and speakers that there are.
func (m *model) check(t *rapid.T) {
	speakers := 0
	for _, v := range m.topic.views {
		speakers += v.speakers
		size := 0
		for class, a := range v.audiences {
			if class == (filter.Class{}) || a.size == 0 || a.size != len(a.group.(*fakeGroup).members) || a.group.(*fakeGroup).strays > 0 {
				t.Fatalf("an audience of %d has %d in its group", a.size, len(a.group.(*fakeGroup).members))
			}
			size += a.size
		}
		if size > len(m.members) {
			t.Fatalf("%d in audiences, %d members", size, len(m.members))
		}
	}
	if speakers != len(m.speakers) || len(m.topic.members) != len(m.members) {
		t.Fatalf("%d speakers and %d members, want %d and %d", speakers, len(m.topic.members), len(m.speakers), len(m.members))
	}
}

// Policies are swapped, members and instances come and go, all at once: whatever the moment, the
// key that every policy withholds is never seen.
func TestNoMomentWithoutFilter(t *testing.T) {
	w := newWorld(t)
	const rounds = 20
	shut := []*Policies{
		policies(t, `s_service: {key_permissions: {secret: [x]}}`),
		policies(t, `s_service: {keys: [n]}`),
		policies(t, `{s: {scopes: [{permission: see, to: all}], keys: [n, m]}, s_service: {scopes: [{to: all}]}}`),
		policies(t, `other: {scopes: [{to: all}]}`),
		NewPolicies(nil, filter.Deny()),
	}
	w.change(func(s *Settings) { s.Policies = shut[0] })
	members := []*peer{w.client("s"), w.client("s")}
	var busy sync.WaitGroup
	done := make(chan struct{})
	busy.Go(func() {
		for i := 0; ; i++ {
			s := *w.deps.settings()
			s.Policies = shut[i%len(shut)]
			w.deps.Settings.Store(&s)
			select {
			case <-done:
				return
			default:
				runtime.Gosched()
			}
		}
	})
	for i := range rounds {
		s := w.service("s")
		for j := range 10 {
			s.writef(`{"service":"s","payload":{"n":%d,"secret":"told"}}`, i*10+j)
		}
		members = append(members, w.client("s"))
		w.gone(s)
	}
	close(done)
	busy.Wait()
	w.change(func(s *Settings) { s.Policies = shut[0] })
	s := w.service("s")
	s.writef(`{"service":"s","payload":{"n":"last","secret":"told"}}`)
	w.settleName(s, "s")
	for i, m := range members {
		var last []byte
		for len(m.socket.written) > 0 {
			if last = payload(t, (<-m.socket.written).Bytes); bytes.Contains(last, []byte("told")) {
				t.Fatalf("got %s", last)
			}
		}
		if !bytes.Contains(last, []byte(`"last"`)) {
			t.Errorf("member %d: the last message did not come: %s", i, last)
		}
	}
}

// The order in which members came changes nothing for any of them.
func TestOrderOfMembersChangesNothing(t *testing.T) {
	const text = `s_service: {scopes: [{permission: all, to: all}, {to: domain, keys: [d]}], key_permissions: {k: [see]}}`
	kinds := []*Credentials{
		{Role: Client, DomainName: "a.x"}, {Role: Client, DomainName: "a.x", Permissions: []string{"see"}},
		{Role: Client, DomainName: "b.x"}, {Role: Client, Permissions: []string{"all"}}, {Role: Client},
	}
	var first []string
	for round := range 20 {
		w := under(t, text)
		s := w.service("s")
		members := make([]*peer, len(kinds))
		for _, i := range rand.New(rand.NewPCG(uint64(round), 1)).Perm(len(kinds)) {
			c := *kinds[i]
			c.Services = []string{"s"}
			members[i] = w.bearer(&c)
		}
		s.writef(`{"service":"s","payload":{"d":"a.x","k":1}}`)
		w.settleName(s, "s")
		var got []string
		for _, m := range members {
			line := "nothing"
			if len(m.socket.written) > 0 {
				line = string(payload(t, (<-m.socket.written).Bytes)[45:]) // behind the id
			}
			got = append(got, line)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Fatalf("round %d: %q, first %q", round, got, first)
		}
	}
	if fmt.Sprint(first[2], first[4]) != "nothingnothing" || slices.Contains(first[:2], "nothing") {
		t.Errorf("got %q", first)
	}
}

// countingGroup delivers to nobody.
type countingGroup struct{ frames int }

func (g *countingGroup) Add(Socket)         {}
func (g *countingGroup) Remove(Socket)      {}
func (g *countingGroup) Send(Frame, Socket) { g.frames++ }

type countingEgress struct{ groups []*countingGroup }

func (e *countingEgress) NewGroup() Group {
	g := new(countingGroup)
	e.groups = append(e.groups, g)
	return g
}

// What a broadcast costs here depends on how many classes there are, not on how many members.
func TestBroadcastDoesNotAllocateForMembers(t *testing.T) {
	cost := func(members int) float64 {
		d, e := newDeps(), new(countingEgress)
		d.Egress = e
		s := *d.settings()
		s.Policies = policies(t, `s_service: {key_permissions: {a: [p], b: [q]}}`)
		d.Settings.Store(&s)
		tp := &topic{deps: d, members: make(map[*Peer]struct{}), views: make(map[*filter.Filter]*view), speakers: make(map[*Peer]*view)}
		from := &Peer{Name: "s", Class: "s_service"}
		tp.speak(from)
		for i := range members {
			tp.join(nil, &join{peer: d.newPeer(&Credentials{Permissions: [][]string{{"p"}, {"q"}, {"p", "q"}}[i%3]}, nil)})
		}
		m := &broadcast{envelope: &wire.Envelope{Payload: wire.Raw(`{"a":1,"b":2,"c":3}`)}, from: from}
		n := testing.AllocsPerRun(50, func() { tp.broadcast(m) })
		if len(e.groups) != 3 || e.groups[0].frames == 0 {
			t.Fatalf("%d groups", len(e.groups))
		}
		return n
	}
	if few, many := cost(3), cost(3000); few != many || many > 3 {
		t.Errorf("%v allocations for 3 members, %v for 3,000, want one a class", few, many)
	}
}
