package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors"
)

// replay returns what a Remote knows after what it has been told: instances with their last state, and names.
func replay(t *testing.T, calls []string) (offered, watched []string) {
	t.Helper()
	instances, names := map[string]string{}, map[string]bool{}
	for _, call := range calls {
		words := strings.Fields(call)
		switch words[0] {
		case "offered":
			instances[words[1]+" "+words[2]] = words[3]
		case "withdrawn":
			key := words[1] + " " + words[2]
			if _, ok := instances[key]; !ok {
				t.Errorf("%s was withdrawn before it was offered", key)
			}
			delete(instances, key)
		case "watched":
			names[words[1]] = true
		case "unwatched":
			if !names[words[1]] {
				t.Errorf("%s was unwatched before it was watched", words[1])
			}
			delete(names, words[1])
		}
	}
	for key, state := range instances {
		offered = append(offered, key+" "+state)
	}
	for name := range names {
		watched = append(watched, name)
	}
	slices.Sort(offered)
	slices.Sort(watched)
	return offered, watched
}

// own returns the same of what a node says of itself.
func (n *node) own() (offered, watched []string) {
	self := n.Nodes()[0]
	for _, o := range self.Offered {
		offered = append(offered, fmt.Sprintf("%s %s leaving=%t", o.Name, o.ID, o.Leaving))
	}
	slices.Sort(offered)
	return offered, self.Watched
}

// While actors change what a node offers and watches, other nodes come, and links begin anew. In the end all know the
// same, and nobody was told of anything twice or of an end without a beginning.
func TestSnapshotsAndNews(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.add("a", 2)
		var actors sync.WaitGroup
		for i := range 4 {
			actors.Go(func() { change(a, uint64(i)) })
		}
		nodes := []*node{w.add("b", 1), w.add("c", 3)}
		random := rand.New(rand.NewPCG(1, 1))
		for range 20 {
			pass(time.Duration(random.IntN(300)) * time.Millisecond)
			w.drop(match{"a", kindItems, 1})
		}
		w.bus.DropIf(nil)
		nodes = append(nodes, w.add("d", 4), w.add("e", 0))
		actors.Wait()
		pass(10 * time.Second)
		offered, watched := a.own()
		if len(offered) == 0 || len(watched) == 0 {
			t.Fatal("nothing is offered or watched in the end")
		}
		for _, n := range nodes {
			for i, r := range n.of(a) {
				gotOffered, gotWatched := replay(t, r.said())
				if i == len(n.of(a))-1 && (!slices.Equal(gotOffered, offered) || !slices.Equal(gotWatched, watched)) {
					t.Errorf("%s knows\n%q\n%q, want\n%q\n%q", n.o.Name, gotOffered, gotWatched, offered, watched)
				}
			}
			info, _ := n.info(a)
			if !slices.Equal(info.Watched, watched) || len(info.Offered) != len(offered) || info.State != Linked {
				t.Errorf("%s shows %v and %v, want %v and %v", n.o.Name, info.Offered, info.Watched, offered, watched)
			}
		}
		if len(nodes[0].of(a)) < 2 {
			t.Error("no link has begun anew: the test does not test what it says")
		}
	})
}

// change offers, changes, withdraws, watches and unwatches for a while.
func change(a *node, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	for range 2000 {
		name, id := fmt.Sprintf("s%d", random.IntN(5)), fmt.Sprintf("i%d-%d", seed, random.IntN(5))
		switch random.IntN(4) {
		case 0:
			a.Offered(actors.Offered{Name: name, ID: id, Leaving: random.IntN(2) == 0}, nil)
		case 1:
			a.Withdrawn(name, id)
		case 2:
			a.Watched(name, func() {})
		case 3:
			a.Unwatched(name)
		}
		time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
	}
	a.Offered(actors.Offered{Name: "last", ID: fmt.Sprint("i", seed)}, nil)
	a.Watched(fmt.Sprint("last", seed), nil)
}

// The news of an actor and its parcels arrive in the order in which it sent them.
func TestNewsAndParcelsKeepTheirOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		var want []string
		for i := range 200 {
			id := fmt.Sprint("i", i)
			a.Offered(actors.Offered{Name: "s", ID: id}, nil)
			a.send(b, "%s", id)
			a.Withdrawn("s", id)
			want = append(want, "offered s "+id+" leaving=false", "parcel 3 s "+id, "withdrawn s "+id)
		}
		pass(0)
		b.expect(a, want...)
	})
}

// Bounds of what one node may offer and watch.
func TestTooMuchOffered(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const offered, watched = 100, 1000
		w.tune = func(o *Options) { o.Offered, o.Watched = offered, watched }
		a, b := w.create("a", 1), w.add("b", 2)
		for i := range offered + 2 {
			a.Offered(actors.Offered{Name: "s", ID: fmt.Sprint(i)}, nil)
		}
		for i := range watched + 3 {
			a.Watched(fmt.Sprint(i), nil)
		}
		a.start()
		settle()
		info, _ := b.info(a)
		if len(info.Offered) != offered || len(info.Watched) != watched || info.Malformed != 5 || info.State != Linked {
			t.Errorf("%d offered, %d watched, %d refused, %s", len(info.Offered), len(info.Watched), info.Malformed, info.State)
		}
		// Whoever tells of one more does not wait for an answer that does not come.
		heard := make(chan struct{})
		a.Offered(actors.Offered{Name: "s", ID: "more"}, func() { heard <- struct{}{} })
		<-heard
		a.Watched("more", func() { heard <- struct{}{} })
		<-heard
		if n := a.Counts().AcksLate; n != 0 {
			t.Errorf("%d answers did not come", n)
		}
	})
}

func TestNodes(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		b := w.create("b", 1)
		b.Offered(actors.Offered{Name: "s", ID: "2", Inside: true}, nil)
		b.Offered(actors.Offered{Name: "s", ID: "1"}, nil)
		b.Offered(actors.Offered{Name: "s", ID: "2", Leaving: true}, nil)
		b.Watched("y", nil)
		b.Watched("x", nil)
		b.start()
		c, a := w.add("c", 2), w.add("a", 3)
		settle()
		pass(100 * time.Millisecond)
		b.send(a, "x")
		pass(0)
		var names []string
		for _, i := range b.Nodes() {
			names = append(names, i.Name+" "+string(i.State))
		}
		if want := []string{"b self", "a linked", "c linked"}; !slices.Equal(names, want) {
			t.Errorf("got %q, want %q", names, want)
		}
		self := b.Nodes()[0]
		info, _ := c.info(b)
		want := NodeInfo{
			Name: "b", ID: b.ID(), Version: "1.0", Protocol: protocolVersion, State: Linked,
			Offered: []actors.Offered{{Name: "s", ID: "2", Leaving: true}, {Name: "s", ID: "1"}}, Watched: []string{"x", "y"},
			BytesReceived: info.BytesReceived, BytesSent: info.BytesSent, Heartbeat: 350 * time.Millisecond,
		}
		if !reflect.DeepEqual(info, want) || info.BytesReceived == 0 || info.BytesSent == 0 {
			t.Errorf("got  %+v\nwant %+v", info, want)
		}
		if !reflect.DeepEqual(self.Offered, want.Offered) || !slices.Equal(self.Watched, want.Watched) || self.ID != b.ID() {
			t.Errorf("of itself: %+v", self)
		}
		to, _ := b.info(a)
		if to.ParcelsSent != 1 || to.Unacknowledged != 1 {
			t.Errorf("%d parcels were sent, %d are not acknowledged", to.ParcelsSent, to.Unacknowledged)
		}
		counts := a.Counts()
		if counts.Nodes != 2 || counts.Linked != 2 || counts.ParcelsReceived != 1 || counts.Met != 2 || counts.Heartbeats == 0 {
			t.Errorf("%+v", counts)
		}
	})
}

func TestOnChange(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.create("a", 1)
		changes := func() int {
			a.mu.Lock()
			defer a.mu.Unlock()
			n := a.changes
			a.changes = 0
			return n
		}
		a.start()
		settle()
		if n := changes(); n != 0 {
			t.Errorf("%d changes although nothing has changed", n)
		}
		b := w.add("b", 2)
		settle()
		if changes() == 0 {
			t.Error("a node came, and nobody was told")
		}
		b.Offered(actors.Offered{Name: "s", ID: "i"}, nil)
		pass(0)
		if changes() == 0 {
			t.Error("a node offers an instance, and nobody was told")
		}
		a.send(b, "x")
		settle()
		if n := changes(); n != 0 {
			t.Errorf("%d changes by a parcel", n)
		}
		b.kill()
		settle()
		if changes() == 0 {
			t.Error("a node went, and nobody was told")
		}
	})
}

func TestSettled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		took := func(n *node) time.Duration {
			began := time.Now()
			n.start()
			if err := n.Settled(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		a := w.create("a", 2)
		if d := took(a); d != settleOne {
			t.Errorf("alone: %v", d)
		}
		a.Offered(actors.Offered{Name: "s", ID: "i"}, nil)
		b := w.create("b", 1)
		if d := took(b); d != settleMin {
			t.Errorf("with another node: %v", d)
		}
		b.expect(a, "offered s i leaving=false")
		c := w.create("c", 3)
		c.block = make(chan struct{}) // it never knows what a offers
		if d := took(c); d != settleMax {
			t.Errorf("with a node that does not settle: %v", d)
		}
		close(c.block)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d := w.add("d", 4)
		if err := d.Settled(ctx); err != context.Canceled {
			t.Errorf("got %v", err)
		}
	})
}

func TestOptions(t *testing.T) {
	conn := newWorld(t).bus.Connect("x")
	defer conn.Close()
	for name, o := range map[string]Options{
		"no bus":       {Cluster: "c", Name: "n"},
		"no cluster":   {Conn: conn, Name: "n"},
		"a dot":        {Conn: conn, Cluster: "a.b", Name: "n"},
		"a wildcard":   {Conn: conn, Cluster: "*", Name: "n"},
		"long cluster": {Conn: conn, Cluster: strings.Repeat("c", 65), Name: "n"},
		"no name":      {Conn: conn, Cluster: "c"},
		"long name":    {Conn: conn, Cluster: "c", Name: strings.Repeat("n", maxNodeName+1)},
		"long version": {Conn: conn, Cluster: "c", Name: "n", Version: strings.Repeat("1", maxVersion+1)},
		"no random":    {Conn: conn, Cluster: "c", Name: "n", Random: strings.NewReader("x")},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	l, err := New(Options{Conn: conn, Cluster: "c", Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := New(Options{Conn: conn, Cluster: "c", Name: "n"})
	if len(l.ID()) != 32 || l.ID() == other.ID() {
		t.Errorf("the ids are %s and %s", l.ID(), other.ID())
	}
	l.Offered(actors.Offered{Name: "s", ID: "i"}, nil)
	l.Stop(t.Context())
	l.Offered(actors.Offered{Name: "s", ID: "j"}, nil)
	if err := l.Start(actors.RouterRef{}); err == nil {
		t.Error("links start after they were stopped")
	}
}
