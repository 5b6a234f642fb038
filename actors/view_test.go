package actors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"strowger/actors/envelope"
	"strowger/actors/filter"
)

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
		NewPolicies(nil, nil, filter.Deny()),
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
			if last = take(m); bytes.Contains(last, []byte("told")) {
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
				line = string(take(m)[45:]) // behind the id
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

func (g *countingGroup) Add(Outlet) error     { return nil }
func (g *countingGroup) Remove(Outlet)        {}
func (g *countingGroup) Send(Message, Outlet) { g.frames++ }

type countingEgress struct{ groups []*countingGroup }

func (e *countingEgress) Encode(envelope *envelope.Envelope, more envelope.Raw) Message {
	return encodeFake(envelope, more)
}

func (e *countingEgress) NewGroup() Group {
	g := new(countingGroup)
	e.groups = append(e.groups, g)
	return g
}

// What a broadcast costs here depends on how many classes there are, not on how many members.
func TestBroadcastDoesNotAllocateForMembers(t *testing.T) {
	cost := func(members int) float64 {
		d, e := newDeps(t), new(countingEgress)
		d.Egress = e
		s := *d.settings()
		s.Policies = policies(t, `s_service: {key_permissions: {a: [p], b: [q]}}`)
		d.Settings.Store(&s)
		tp := makeTopic(d, "s", new(progress))
		from := &Peer{Identity: Identity{Name: "s", Class: "s_service"}}
		tp.speak(from)
		for i := range members {
			tp.join(&join{peer: d.newPeer(&Credentials{Permissions: [][]string{{"p"}, {"q"}, {"p", "q"}}[i%3]}, nil)})
		}
		m := &broadcast{envelope: &envelope.Envelope{Payload: envelope.Raw(`{"a":1,"b":2,"c":3}`)}, from: from}
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
