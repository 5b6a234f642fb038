package system

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"strowger/system/token"
)

var clusterSeeds = flag.Int("cluster-seeds", 20, "how many seeds TestClusterFaults goes through")

// numbered is what a service of the test says: the number of the message among all that it has said.
type numbered struct {
	N   int    `json:"n"`
	For string `json:"for,omitempty"` // the request that it answers
}

// newscaster is a service on one node that numbers all it says, replies and broadcasts.
type newscaster struct {
	name string
	peer *peer
	say  chan chan<- int // gets the number; nil: nobody wants it

	mu         sync.Mutex // Protects following.
	n          int
	broadcasts []int
}

// run answers and broadcasts in one goroutine, so that the numbers are in the order of the messages.
func (s *newscaster) run(stop <-chan struct{}) {
	for {
		var text string
		select {
		case <-stop:
			return
		case number := <-s.say:
			text = s.next("")
			if number != nil {
				number <- s.n // only this goroutine changes it
			}
		case ask := <-s.peer.got:
			var id string
			_ = json.Unmarshal(ask.RequestID, &id)
			text = fmt.Sprintf(`{"service_name":%q,"topic":"get","request_id":%q,"resource_id":%q,"payload":%s}`, s.name, id, ask.ResourceID, s.next(id))
			_ = s.peer.conn.WriteString(text)
			continue
		}
		_ = s.peer.conn.WriteString(fmt.Sprintf(`{"service_name":%q,"topic":"NEWS","payload":%s}`, s.name, text))
	}
}

func (s *newscaster) next(request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if request == "" {
		s.broadcasts = append(s.broadcasts, s.n)
	}
	text, _ := json.Marshal(numbered{N: s.n, For: request})
	return string(text)
}

// between counts the broadcasts after one and before another one.
func (s *newscaster) between(after, before int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := slices.BinarySearch(s.broadcasts, after+1)
	to, _ := slices.BinarySearch(s.broadcasts, before)
	return to - from
}

// hearer is a client on one node that listens to all speakers, and asks them.
type hearer struct {
	t    *testing.T
	node string
	peer *peer
	news chan<- struct{}

	speakers map[string]*newscaster

	mu       sync.Mutex // Protects following.
	asked    int
	outcomes map[string]int         // by request id
	statuses map[string]int         // how often each
	last     map[string]int         // the last number of each service
	heard    map[string]map[int]int // broadcasts, by service and number
	newest   map[string]int         // the last broadcast of each service
	told     map[string]bool        // that something may be missing after it
}

func (h *hearer) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case e := <-h.peer.got:
			h.take(e)
			select {
			case h.news <- struct{}{}:
			default: // whoever waits looks anyway
			}
		}
	}
}

func (h *hearer) take(e reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Topic == "get" {
		var id string
		_ = json.Unmarshal(e.RequestID, &id)
		h.outcomes[id]++
		h.statuses[string(e.Code)]++
	}
	if e.Gap != nil {
		h.told[e.Service] = true
		return
	}
	var said numbered
	if len(e.Payload) == 0 || json.Unmarshal(e.Payload, &said) != nil || said.N == 0 {
		return
	}
	if last := h.last[e.Service]; said.N <= last {
		h.t.Errorf("a client of %s gets message %d of %s after message %d", h.node, said.N, e.Service, last)
	}
	h.last[e.Service] = said.N
	if e.Topic == "NEWS" {
		h.heard[e.Service][said.N]++
		if missed := h.speakers[e.Service].between(h.newest[e.Service], said.N); missed > 0 && !h.told[e.Service] {
			h.t.Errorf("a client of %s is not told that it misses %d broadcasts of %s after %d", h.node, missed, e.Service, h.newest[e.Service])
		}
		h.newest[e.Service], h.told[e.Service] = said.N, false
	}
}

// joinForGaps is join of a client that asks to be told of gaps.
func joinForGaps(t *testing.T, s *System, spec token.Spec) *peer {
	t.Helper()
	p := connectAt(t, s.Addr().String())
	made := mint(t, s.running.Load().Tokens.Directory, spec)
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"gaps":true}}`, made.Name, made.Hash)
	p.gets(`200 authentication/authenticated #"" {"gaps":true}`)
	return p
}

// ask asks a service once.
func (h *hearer) ask(service string) {
	h.mu.Lock()
	h.asked++
	id := fmt.Sprintf("%s-%d", h.node, h.asked)
	h.outcomes[id] += 0
	h.mu.Unlock()
	h.peer.sendf(`{"service":%q,"topic":"get","request_id":%q}`, service, id)
}

// open returns how many requests have no outcome yet.
func (h *hearer) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, outcomes := range h.outcomes {
		if outcomes == 0 {
			n++
		}
	}
	return n
}

// has reports whether it has heard a broadcast.
func (h *hearer) has(service string, n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heard[service][n] > 0
}

// faulty is three nodes whose ways to NATS a test disturbs.
type faulty struct {
	t        *testing.T
	nodes    []*System
	gates    []*tollgate
	speakers []*newscaster
	hearers  []*hearer
	news     chan struct{} // tells that a client has got something
}

func newFaulty(t *testing.T) *faulty {
	address, _ := externalNATS(t, natsserver.RANDOM_PORT, nil)
	f := &faulty{t: t, news: make(chan struct{}, 1)}
	for _, name := range []string{"a", "b", "c"} {
		g := newTollgate(t, address)
		cfg := natsAt(t, name, g)
		cfg.Routing.RequestTimeout, cfg.Routing.Unanswered = 2*time.Second, "504"
		f.gates, f.nodes = append(f.gates, g), append(f.nodes, start(t, cfg))
	}
	f.settle()
	stop := make(chan struct{})
	var all sync.WaitGroup
	var names []string
	speakers := map[string]*newscaster{}
	for i, s := range f.nodes {
		name := "news." + string(rune('a'+i))
		names = append(names, name)
		sp := &newscaster{name: name, peer: join(t, s, remote(name, "news_service")), say: make(chan chan<- int)}
		f.speakers, speakers[name] = append(f.speakers, sp), sp
		all.Go(func() { sp.run(stop) })
	}
	for _, s := range f.nodes {
		h := &hearer{t: t, news: f.news, node: s.cluster.node, peer: joinForGaps(t, s, user("one.example", nil, names...)), speakers: speakers,
			outcomes: map[string]int{}, statuses: map[string]int{}, last: map[string]int{}, heard: map[string]map[int]int{}, newest: map[string]int{}, told: map[string]bool{}}
		for _, name := range names {
			h.heard[name] = map[int]int{}
		}
		f.hearers = append(f.hearers, h)
		all.Go(func() { h.run(stop) })
	}
	t.Cleanup(func() {
		close(stop)
		all.Wait()
	})
	f.converse()
	return f
}

// settle ends all faults and waits until the nodes are linked.
func (f *faulty) settle() {
	f.t.Helper()
	for _, g := range f.gates {
		g.heal()
		g.stall(false)
		g.late(0)
	}
	for _, s := range f.nodes {
		linked(f.t, s, len(f.nodes)-1)
	}
}

// converse returns once all clients hear all services and all requests have an outcome.
func (f *faulty) converse() {
	f.t.Helper()
	for _, s := range f.speakers {
		var n int
		say := func() {
			number := make(chan int, 1)
			s.say <- number
			n = <-number
		}
		say()
		f.await("all hear "+s.name, say, func() bool {
			return !slices.ContainsFunc(f.hearers, func(h *hearer) bool { return !h.has(s.name, n) })
		})
	}
	for _, h := range f.hearers {
		f.await("all requests of "+h.node+" have an outcome", func() {}, func() bool { return h.open() == 0 })
	}
}

// await looks whether something holds each time that a client gets a message. It calls again from time to time, because what
// was said while a link begins may be lost. It waits twice as long each time, so that a slow machine comes up to it.
func (f *faulty) await(what string, again func(), holds func() bool) {
	f.t.Helper()
	pause := 100 * time.Millisecond
	late, lost := time.NewTimer(patience), time.NewTimer(pause)
	defer late.Stop()
	defer lost.Stop()
	for !holds() {
		select {
		case <-f.news:
		case <-lost.C:
			again()
			pause *= 2
			lost.Reset(pause)
		case <-late.C:
			f.t.Fatalf("not in time: %s", what)
		}
	}
}

// disturb has something happen to the way of one node.
func (f *faulty) disturb(r *rand.Rand) {
	g := f.gates[r.IntN(len(f.gates))]
	switch r.IntN(6) {
	case 0:
		g.cut()
	case 1:
		g.stall(true)
	case 2:
		g.late(time.Duration(r.IntN(20)) * time.Millisecond)
	case 3: // what is under way is lost
		g.cut()
		g.heal()
	default:
		g.heal()
		g.stall(false)
		g.late(0)
	}
}

// run has faults happen while everybody speaks and asks, and then wants everything to work again.
func (f *faulty) run(seed uint64) {
	f.t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	resets := f.resets()
	from := make([]int, len(f.speakers))
	for i, s := range f.speakers {
		s.mu.Lock()
		from[i] = s.n
		s.mu.Unlock()
	}
	for range 60 {
		if r.IntN(6) == 0 {
			f.disturb(r)
		}
		for range 1 + r.IntN(8) {
			f.speakers[r.IntN(3)].say <- nil
			f.hearers[r.IntN(3)].ask(f.speakers[r.IntN(3)].name)
		}
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond) // the pace of the program, not a wait
	}
	f.settle()
	f.converse()
	f.check(seed, from, f.resets() == resets)
}

// resets counts all that may have lost something.
func (f *faulty) resets() uint64 {
	n := uint64(0)
	for _, s := range f.nodes {
		c := s.cluster.links.Counts()
		n += c.Gaps + c.Resets + c.Gone
	}
	return n
}

// check compares what was said since from with what was heard. Whole says that no link has begun anew.
func (f *faulty) check(seed uint64, from []int, whole bool) {
	f.t.Helper()
	for i, s := range f.speakers {
		s.mu.Lock()
		said := slices.Clone(s.broadcasts)
		s.mu.Unlock()
		for j, h := range f.hearers {
			missed := 0
			h.mu.Lock()
			for _, n := range said {
				if n > from[i] && h.heard[s.name][n] == 0 {
					missed++
				}
			}
			for n, times := range h.heard[s.name] {
				if times != 1 || n <= said[len(said)-1] && !slices.Contains(said, n) {
					f.t.Errorf("seed %d: a client of %s has heard broadcast %d of %s %d times", seed, h.node, n, s.name, times)
				}
			}
			h.mu.Unlock()
			if missed > 0 && (i == j || whole) {
				f.t.Errorf("seed %d: a client of %s has missed %d broadcasts of %s (no link began anew: %v)", seed, h.node, missed, s.name, whole)
			}
		}
	}
	for _, h := range f.hearers {
		h.mu.Lock()
		for id, n := range h.outcomes {
			if n != 1 {
				f.t.Errorf("seed %d: request %s has %d outcomes", seed, id, n)
			}
		}
		for status := range maps.Keys(h.statuses) {
			if !slices.Contains([]string{`""`, "503", "504"}, status) {
				f.t.Errorf("seed %d: a request of %s gets status %s", seed, h.node, status)
			}
		}
		h.mu.Unlock()
	}
}

// The ways between three nodes are cut, are late and lose what is under way, while services speak and clients ask. Each
// client gets what a service says in its order and at most once, clients of its own node get all of it, and so do those of
// other nodes unless a link began anew, and then they are told before the next one. Each request has one outcome. When the faults are over all is as before.
func TestClusterFaults(t *testing.T) {
	const worlds = 4
	for w := range worlds {
		t.Run(fmt.Sprint("world ", w), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t)
			for seed := w; seed < *clusterSeeds && !t.Failed(); seed += worlds {
				f.run(uint64(seed))
			}
			for _, h := range f.hearers {
				t.Logf("%s has asked %d times and got %v; links began anew %d times", h.node, h.asked, h.statuses, f.resets())
			}
		})
	}
}
