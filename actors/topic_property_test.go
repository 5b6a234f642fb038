package actors

import (
	"bytes"
	"net"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// The words of random policies, subjects and messages: few, so that they often meet.
var (
	someRights  = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), rapid.ID[string])
	someKeys    = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "dom"}), 1, 3, rapid.ID[string])
	oneDomain   = rapid.SampledFrom([]string{"a.x", "b.x", ""})
	oneClass    = rapid.SampledFrom([]string{"c1", "c2", "none"})
	onePayload  = rapid.SampledFrom([]string{`{"dom":"a.x","a":1.0,"b":[2]}`, `{"dom":"b.x","a":1}`, `{"b":{"a":1}}`, `[{"dom":"a.x"},{"dom":"b.x"}]`, `null`, ``, `"x"`, `{}`})
	oneTopic    = rapid.SampledFrom([]string{"t", "u"})
	atLeastOnce = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), 1, 2, rapid.ID[string])
)

func anyPolicy(t *rapid.T) *filter.Filter {
	var p policy.Policy
	if rapid.Bool().Draw(t, "require") {
		p.Require = atLeastOnce.Draw(t, "required")
	}
	if rapid.Bool().Draw(t, "listed") {
		p.Keys = someKeys.Draw(t, "keys")
	}
	p.KeyPermissions = map[string][]string{}
	for _, key := range someKeys.Draw(t, "guarded") {
		if p.Keys != nil && !slices.Contains(p.Keys, key) {
			continue
		}
		p.KeyPermissions[key] = atLeastOnce.Draw(t, "guards")
	}
	if rapid.Bool().Draw(t, "topics") {
		p.TopicPermissions = map[string][]string{"u": atLeastOnce.Draw(t, "topic")}
	}
	if rapid.Bool().Draw(t, "all") {
		p.Scopes = append(p.Scopes, policy.Scope{Permission: "q", To: policy.All})
	}
	if rapid.Bool().Draw(t, "domain") {
		p.Scopes = append(p.Scopes, policy.Scope{To: policy.Domain, Keys: []string{"dom"}, ListKeys: []string{"dom"}})
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
	return NewPolicies(map[string]*filter.Filter{"c1": anyPolicy(t), "c2": anyPolicy(t)}, nil, fallback)
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
		d := newDeps(t)
		m := &model{deps: d, topic: makeTopic(d, "s", new(progress))}
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
	p.Remote = &net.TCPAddr{}
	m.all = append(m.all, p)
	return p
}

func (m *model) join(t *rapid.T) {
	p := m.peer(&Credentials{Role: Client, DomainName: oneDomain.Draw(t, "domain"), Permissions: slices.Sorted(slices.Values(someRights.Draw(t, "rights")))})
	m.members = append(m.members, p)
	m.topic.join(&join{peer: p})
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
		m.topic.join(&join{peer: p})
	}
	m.speakers = append(m.speakers, p)
	m.topic.speak(p)
}

func (m *model) hush(t *rapid.T) {
	if len(m.speakers) == 0 {
		t.Skip("nobody speaks")
	}
	i := rapid.IntRange(0, len(m.speakers)-1).Draw(t, "who")
	m.topic.hush(&hush{peer: m.speakers[i]})
	m.speakers = slices.Delete(m.speakers, i, i+1)
}

func (m *model) broadcast(t *rapid.T) (delivered int) {
	from := &Peer{Identity: Identity{Name: "s", Class: oneClass.Draw(t, "class")}, Outlet: newFakeSocket(), Remote: &net.TCPAddr{}} // it has left
	if len(m.speakers) > 0 && rapid.Bool().Draw(t, "present") {
		from = rapid.SampledFrom(m.speakers).Draw(t, "from")
	}
	name, payload := oneTopic.Draw(t, "topic"), onePayload.Draw(t, "payload")
	e := &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Topic: envelope.QuoteString(name)}
	if payload != "" {
		e.Payload = envelope.Raw(payload)
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
	written := p.Outlet.(*fakeSocket).written
	for len(written) > 0 {
		m := <-written
		message, err := envelope.Decode(m.Text(), envelope.MaxDepth)
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
			if class == (filter.Class{}) || a.plain.size == 0 || a.plain.size != len(a.plain.group.(*fakeGroup).members) || a.plain.group.(*fakeGroup).strays > 0 {
				t.Fatalf("an audience of %d has %d in its group", a.plain.size, len(a.plain.group.(*fakeGroup).members))
			}
			size += a.plain.size
		}
		if size > len(m.members) {
			t.Fatalf("%d in audiences, %d members", size, len(m.members))
		}
	}
	if speakers != len(m.speakers) || len(m.topic.members) != len(m.members) {
		t.Fatalf("%d speakers and %d members, want %d and %d", speakers, len(m.topic.members), len(m.speakers), len(m.members))
	}
}
