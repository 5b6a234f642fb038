package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strowger/actors"
	"strowger/system/internal/cluster/membus"
)

// world is some nodes on one bus.
type world struct {
	t     *testing.T
	bus   *membus.Bus
	nodes []*node
	tune  func(o *Options) // what the options of new nodes are, besides the usual; may be nil
}

// node is one node whose actors are fakes.
type node struct {
	*Links
	world *world
	conn  *membus.Conn
	log   *logText

	mu      sync.Mutex // Protects following.
	remotes []*fakeRemote
	changes int
	block   chan struct{} // what Remotes wait for before they return; nil: nothing
}

// logText is what a node has logged.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newWorld returns a world that ends with the test. It is called in a bubble of synctest.
func newWorld(t *testing.T) *world {
	return &world{t: t, bus: membus.New(1)}
}

// add starts a node. Its id begins with the byte first, so that tests know who leads.
func (w *world) add(name string, first byte) *node {
	n := w.create(name, first)
	n.start()
	return n
}

func (w *world) create(name string, first byte) *node {
	w.t.Helper()
	n := &node{world: w, conn: w.bus.Connect(name), log: &logText{}}
	id := append([]byte{first}, make([]byte, 15)...)
	id[15] = byte(len(w.nodes))
	o := Options{
		Conn: n.conn, Cluster: "test", Name: name, Version: "1.0", Random: bytes.NewReader(id),
		Log: slog.New(slog.NewTextHandler(n.log, nil)),
		OnChange: func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.changes++
		},
	}
	if w.tune != nil {
		w.tune(&o)
	}
	links, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	n.Links = links
	links.newRemote = n.remote
	w.nodes = append(w.nodes, n)
	return n
}

func (n *node) start() {
	n.world.t.Helper()
	if err := n.Start(actors.RouterRef{}); err != nil {
		n.world.t.Fatal(err)
	}
}

// stop stops all nodes. Tests call it before the bubble ends.
func (w *world) stop() {
	for _, n := range w.nodes {
		n.Stop(w.t.Context())
	}
}

// kill ends a node as kill -9 does: it says nothing.
func (n *node) kill() {
	n.conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n.Stop(ctx)
}

// settle lets time pass until links are as they will be.
func settle() { pass(3 * time.Second) }

func pass(d time.Duration) {
	time.Sleep(d) // The clock of the bubble; nothing waits.
	synctest.Wait()
}

// fakeRemote is another node as the fake actors see it. It records what it is told.
type fakeRemote struct {
	owner *node
	node  actors.Node

	mu      sync.Mutex // Protects following.
	calls   []string
	gone    bool
	refuse  error // what Offered and Receive return
	explode bool  // the next call panics
	known   int   // how many calls came before Known; -1: it has not come
}

func (n *node) remote(other actors.Node) remote {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &fakeRemote{owner: n, node: other, known: -1}
	n.remotes = append(n.remotes, r)
	return r
}

func (r *fakeRemote) record(format string, args ...any) error {
	r.owner.mu.Lock()
	block := r.owner.block
	r.owner.mu.Unlock()
	if block != nil {
		<-block
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		panic("a call after Gone: " + fmt.Sprintf(format, args...))
	}
	if r.explode {
		r.explode = false
		panic("as the test wants it")
	}
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
	return r.refuse
}

func (r *fakeRemote) Offered(o actors.Offered) error {
	return r.record("offered %s %s leaving=%t", o.Name, o.ID, o.Leaving)
}
func (r *fakeRemote) Withdrawn(name, id string) { _ = r.record("withdrawn %s %s", name, id) }
func (r *fakeRemote) Watched(name string)       { _ = r.record("watched %s", name) }
func (r *fakeRemote) Unwatched(name string)     { _ = r.record("unwatched %s", name) }
func (r *fakeRemote) Receive(p *actors.Parcel) error {
	return r.record("parcel %d %s %s", p.Kind, p.Service, p.Text)
}

func (r *fakeRemote) Known() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = len(r.calls)
}

func (r *fakeRemote) Gone() {
	_ = r.record("gone")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
}

func (r *fakeRemote) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// of returns all Remotes that n has had of another node, in order.
func (n *node) of(other *node) []*fakeRemote {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*fakeRemote
	for _, r := range n.remotes {
		if r.node.(*session).member.id == other.id {
			all = append(all, r)
		}
	}
	return all
}

// last returns the last of them.
func (n *node) last(other *node) *fakeRemote {
	n.world.t.Helper()
	all := n.of(other)
	if len(all) == 0 {
		n.world.t.Fatalf("%s has never been linked to %s; its log:\n%s", n.o.Name, other.o.Name, n.log)
	}
	return all[len(all)-1]
}

// expect compares what the last Remote of another node has been told.
func (n *node) expect(other *node, want ...string) {
	n.world.t.Helper()
	if got := n.last(other).said(); !slices.Equal(got, want) {
		n.world.t.Errorf("%s heard of %s:\n%q, want\n%q\nits log:\n%s", n.o.Name, other.o.Name, got, want, n.log)
	}
}

// info returns what n says of another node.
func (n *node) info(other *node) (NodeInfo, bool) {
	for _, i := range n.Nodes() {
		if i.ID == other.id.String() {
			return i, true
		}
	}
	return NodeInfo{}, false
}

// expectState compares the state of another node; an empty one means that it is not there.
func (n *node) expectState(other *node, want State) {
	n.world.t.Helper()
	if i, _ := n.info(other); i.State != want {
		n.world.t.Errorf("%s sees %s as %q, want %q; its log:\n%s", n.o.Name, other.o.Name, i.State, want, n.log)
	}
}

// text returns a broadcast.
func text(format string, args ...any) *actors.Parcel {
	return &actors.Parcel{Kind: actors.BroadcastParcel, Service: "s", Text: fmt.Appendf(nil, format, args...)}
}

// send sends a broadcast to another node.
func (n *node) send(other *node, format string, args ...any) bool {
	n.world.t.Helper()
	return n.last(other).node.Send(text(format, args...))
}

// inBubble runs a test with a clock of its own, and ends the world.
func inBubble(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		f(t, w)
	})
}
