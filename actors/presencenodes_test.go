package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"strowger/actors/refusals"
)

// interval lets all that happened on all nodes be told on all nodes.
func (c *cluster) interval() {
	c.t.Helper()
	c.settle("s")
	for range 3 { // what a node is told it tells at its own time
		for _, n := range c.nodes {
			n.interval()
		}
		c.settle("s")
	}
}

// governed returns nodes that have the same policies.
func governed(t *testing.T, size int, text string) *cluster {
	t.Helper()
	c := newCluster(t, size)
	for _, n := range c.nodes {
		n.govern(text)
	}
	return c
}

// People are the same whatever node they are connected to. A node that is lost takes its own with it, and brings them back.
func TestPresenceOnThreeNodes(t *testing.T) {
	c := governed(t, 3, sociable)
	c.nodes[2].service("s")
	var all []*peer
	var see []*sight
	for i, n := range c.nodes {
		p, sees := n.onlooker(as(fmt.Sprint("user", i), "a"))
		all, see = append(all, p), append(see, sees)
		n.bearer(as("alice", "a"))
		n.bearer(as("foreign", "b"))
	}
	wants := func(i int, want string) {
		t.Helper()
		see[i].wants(all[i], want)
	}
	c.interval()
	for i := range c.nodes {
		wants(i, "alice@a*3 user0@a*1 user1@a*1 user2@a*1")
	}
	// A second node is told no more than what changed, once.
	before := len(c.nodes[0].link(c.nodes[1]).sent(PresenceParcel))
	late := c.nodes[0].bearer(as("late", "a"))
	lateToo := c.nodes[0].bearer(as("later", "a"))
	c.interval()
	wants(1, "alice@a*3 late@a*1 later@a*1 user0@a*1 user1@a*1 user2@a*1")
	if sent := c.nodes[0].link(c.nodes[1]).sent(PresenceParcel)[before:]; len(sent) != 1 || strings.Contains(string(sent[0].Text), "alice") {
		t.Errorf("%d parcels for one interval", len(sent))
	}
	c.nodes[0].gone(late)
	c.nodes[0].gone(lateToo)
	// Partition, changes on both sides, and back.
	c.part(c.nodes[0], c.nodes[1])
	c.part(c.nodes[0], c.nodes[2])
	c.interval()
	wants(0, "alice@a*1 user0@a*1")
	wants(1, "alice@a*2 user1@a*1 user2@a*1")
	c.nodes[0].bearer(as("bob", "a"))
	c.nodes[1].bearer(as("bob", "a"))
	c.interval()
	c.join(c.nodes[0], c.nodes[1])
	c.join(c.nodes[0], c.nodes[2])
	c.interval()
	for i := range c.nodes {
		wants(i, "alice@a*3 bob@a*2 user0@a*1 user1@a*1 user2@a*1")
	}
	// The last one of a node who watches takes the node's people away.
	for _, p := range slices.Clone(c.nodes[1].peers) {
		c.nodes[1].gone(p)
	}
	c.interval()
	wants(0, "alice@a*2 bob@a*1 user0@a*1 user2@a*1")
}

// A node whose policy begins to tell asks the others, whose policies may tell already or not yet. One whose policy ceases to
// tell takes its people away.
func TestPresenceBeginsOnOneNodeAfterTheOther(t *testing.T) {
	c := governed(t, 2, `s_service: {scopes: [{to: all}]}`)
	c.nodes[0].service("s")
	a, seesA := c.nodes[0].onlooker(as("alice", "a"))
	b, seesB := c.nodes[1].onlooker(as("bob", "b"))
	c.interval()
	for i, want := range []string{"alice*1", "alice*1 bob*1"} {
		c.nodes[i].govern(`s_service: {scopes: [{to: all}], presence: [user_name]}`)
		c.nodes[i].deps.SettingsChanged()
		c.interval()
		seesA.wants(a, want)
	}
	seesB.wants(b, "alice*1 bob*1")
	for _, n := range c.nodes[:1] {
		n.govern(`s_service: {scopes: [{to: all}]}`)
		n.deps.SettingsChanged()
	}
	c.interval()
	a.settledSilence(c, seesA)
	seesB.wants(b, "bob*1") // the other node goes by its own settings, and hears nothing of alice any more
	c.nodes[0].govern(`s_service: {scopes: [{to: all}], presence: [user_name]}`)
	c.nodes[0].deps.SettingsChanged()
	c.interval()
	seesA.wants(a, "alice*1 bob*1")
	seesB.wants(b, "alice*1 bob*1")
}

func (p *peer) settledSilence(c *cluster, s *sight) {
	c.t.Helper()
	s.takes(p)
	if s.people != nil {
		c.t.Errorf("it sees %v", s)
	}
}

// A node without subscribers is told nothing, and does not go on to say who was there when its last one left.
func TestPresenceOfANodeThatListensNoMore(t *testing.T) {
	c := governed(t, 2, sociable)
	c.nodes[0].service("s")
	alice := c.nodes[0].bearer(as("alice", "a"))
	bob := c.nodes[1].bearer(as("bob", "a"))
	carol := as("carol", "a")
	carol.Services = nil
	asks := c.nodes[1].bearer(carol)
	c.interval()
	if list := asks.asksWho(); list != "alice@a*1 bob@a*1" {
		t.Errorf("the list is %q", list)
	}
	c.nodes[1].gone(bob)
	c.settle("s")
	c.nodes[0].bearer(as("dave", "a")) // so that the other node does not cease to listen itself
	c.nodes[0].gone(alice)
	c.interval()
	if list := asks.asksWho(); list != "" {
		t.Errorf("the list of a node that is told nothing is %q", list)
	}
	p, sees := c.nodes[1].onlooker(as("bob", "a"))
	c.interval()
	sees.wants(p, "bob@a*1 dave@a*1")
}

// What was on its way when the last member left is not taken for news.
func TestPresenceThatComesTooLate(t *testing.T) {
	w := under(t, sociable)
	w.service("s")
	p := w.bearer(as("bob", "a"))
	r, _ := w.remote("b")
	r.Watched("s")
	w.gone(p)
	w.settle(w.router.PID())
	w.deps.Registry.Lookup("s").Topic.Send(&deafened{})
	if err := r.Receive(&Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(`{"people":[{"user":"late","domain":"a","connections":1}]}`)}); err != nil {
		t.Fatal(err)
	}
	w.interval()
	p, sees := w.onlooker(as("alice", "a"))
	w.interval()
	sees.wants(p, "alice@a*1")
}

// A node takes so many people from another one and no more.
func TestPresenceOfAnotherNodeIsBounded(t *testing.T) {
	w := under(t, sociable)
	w.change(func(s *Settings) { s.PresencePeople = 2 })
	w.service("s")
	p, sees := w.onlooker(as("alice", "a", "all"))
	r, n := w.remote("b")
	tell := func(text string) {
		t.Helper()
		if err := r.Receive(&Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	tell(`{"all":true,"people":[{"user":"early","domain":"a","connections":1}]}`)
	w.interval()
	sees.wants(p, "alice@a*1") // it does not watch
	r.Watched("s")
	tell(`{"all":true,"people":[{"user":"one","domain":"a","connections":1},{"user":"two","domain":"b","connections":7},{"user":"three","domain":"a","connections":1}]}`)
	w.interval()
	sees.wants(p, "alice@a*1 one@a*1 two@b*7")
	if n := w.deps.Refusals().Count(refusals.PresencePeople); n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
	tell(`{"people":[{"user":"one","domain":"a","connections":0},{"user":"three","domain":"a","connections":2}]}`)
	w.interval()
	sees.wants(p, "alice@a*1 three@a*2 two@b*7")
	tell(`{"all":true,"people":[{"user":"two","domain":"b","connections":7}]}`)
	w.interval()
	sees.wants(p, "alice@a*1 two@b*7")
	if sent := n.take(); len(sent) != 1 {
		t.Errorf("the node was sent %v", sent)
	}
	r.Unwatched("s")
	w.interval()
	sees.wants(p, "alice@a*1")
}

// Many people cross in parcels of a bounded size.
func TestPresenceCrossesInPieces(t *testing.T) {
	c := governed(t, 2, sociable)
	c.nodes[0].service("s")
	long := strings.Repeat("x", 400)
	for i := range 60 {
		c.nodes[0].bearer(as(fmt.Sprint(i, long), "a"))
	}
	c.interval()
	p, sees := c.nodes[1].onlooker(as("alice", "a"))
	c.interval()
	sees.takes(p)
	if len(sees.people) != 61 {
		t.Errorf("it sees %d people", len(sees.people))
	}
	sent := c.nodes[0].link(c.nodes[1]).sent(PresenceParcel)
	if len(sent) < 3 {
		t.Errorf("%d parcels", len(sent))
	}
	for _, parcel := range sent {
		if len(parcel.Text) > 2*parcelPeople {
			t.Errorf("a parcel of %d bytes", len(parcel.Text))
		}
	}
}

// Whatever happens in whatever order on two nodes, what a client makes of what it is told is the list that it gets when it
// asks, and in the end everybody who is there.
func TestPresenceIsWhatTheListSays(t *testing.T) {
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			c := governed(t, 2, sociable)
			c.change(func(s *Settings) { s.PresencePeople = 6; s.PendingRequests = 1000 })
			c.nodes[0].service("s")
			type client struct {
				at   *node
				p    *peer
				who  *Credentials
				sees *sight // nil: it has not asked
			}
			var all []*client
			linked := true
			for step := range 300 {
				n := c.nodes[random.IntN(2)]
				switch dice := random.IntN(100); {
				case dice < 35:
					who := as(fmt.Sprint("user", random.IntN(5)), []string{"a", "b"}[random.IntN(2)], [][]string{nil, {"all"}}[random.IntN(2)]...)
					one := &client{at: n, who: who}
					if random.IntN(2) == 0 {
						one.p, one.sees = n.onlooker(who)
					} else {
						one.p = n.bearer(who)
					}
					all = append(all, one)
				case dice < 65 && len(all) > 0:
					i := random.IntN(len(all))
					all[i].at.gone(all[i].p)
					all = slices.Delete(all, i, i+1)
				case dice < 80:
					n.interval()
				case dice < 85:
					c.settle("s")
				case dice < 90:
					if linked {
						c.part(c.nodes[0], c.nodes[1])
					} else {
						c.join(c.nodes[0], c.nodes[1])
					}
					linked = !linked
				default:
					for _, one := range all {
						if one.sees == nil {
							continue
						}
						one.sees.takes(one.p)
						if one.sees.people == nil {
							continue
						}
						// What is asked for comes in order with what is told, so nothing may come between.
						one.p.writef(`{"service":"s","topic":"presence","request_id":"who"}`)
						want := ""
						for want == "" {
							m := <-one.p.socket.written
							if strings.Contains(string(m.Text()), `"request_id":"who"`) {
								want = "the list: " + listOf(t, m.Text())
								break
							}
							one.sees.take(t, m.Text())
						}
						if got := "the list: " + one.sees.String(); got != want {
							t.Fatalf("step %d: it sees %s, and gets %s", step, got, want)
						}
					}
				}
			}
			if !linked {
				c.join(c.nodes[0], c.nodes[1])
			}
			c.change(func(s *Settings) { s.PresencePeople = 100 })
			for _, n := range c.nodes {
				n.deps.SettingsChanged()
			}
			c.interval()
			c.interval()
			checked := 0
			for _, one := range all {
				if one.sees == nil {
					continue
				}
				count := make(map[string]int)
				for _, other := range all {
					if other.who.DomainName == one.who.DomainName || len(one.who.Permissions) > 0 {
						count[other.who.UserName+"@"+other.who.DomainName]++
					}
				}
				var want []string
				for who, n := range count {
					want = append(want, fmt.Sprintf("%s*%d", who, n))
				}
				slices.Sort(want)
				one.sees.wants(one.p, strings.Join(want, " "))
				checked++
			}
			if checked < 3 {
				t.Errorf("%d clients were checked: the seed tests nothing", checked)
			}
		})
	}
}
