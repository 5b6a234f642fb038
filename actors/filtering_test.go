package actors

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/filter"
	"strowger/config/policy"
)

// policies compiles policies given as YAML; whoever has none is denied.
func policies(t testing.TB, text string) *Policies {
	t.Helper()
	parsed, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	filters := map[string]*filter.Filter{}
	for name, p := range parsed {
		if filters[name], err = filter.Compile(p); err != nil {
			t.Fatal(err)
		}
	}
	return NewPolicies(filters, nil, filter.Deny())
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
	w.settle(w.router.PID(), r.Service.PID())
	w.look(r.Topic.PID(), func(a actor.Actor) { f(a.(*topic)) })
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
func TestClassSharesItsMessage(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	members := []*peer{w.user("a.x"), w.user("a.x", "none"), w.user("a.x", "all", "see_salary"), w.user("a.x", "see_salary")}
	s.writef(`{"service":"s","payload":{"d":"a.x","salary":1}}`)
	var texts [][]byte
	for _, m := range members {
		texts = append(texts, take(m))
	}
	if &texts[0][0] != &texts[1][0] {
		t.Error("two members of one class got two messages")
	}
	if &texts[2][0] != &texts[3][0] {
		t.Error("two classes that see everything got two messages")
	}
	if len(texts[0]) >= len(texts[2]) {
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
	w.change(func(s *Settings) { s.Policies = NewPolicies(nil, nil, filter.Deny()) })
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
