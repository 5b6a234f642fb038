package cluster

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strowger/actors"
	"strowger/system/internal/cluster/membus"
)

var (
	seeds = flag.Int("seeds", 6, "how many seeds TestLinksKeepTheirPromise tries")
	seed1 = flag.Uint64("seed", 1, "the first seed of TestLinksKeepTheirPromise")
)

// storm is a cluster in which everything goes wrong at random, while each node sends numbered parcels to each other.
type storm struct {
	*world
	random  *rand.Rand
	done    chan struct{}
	senders sync.WaitGroup
	alive   []*node
	killed  map[*node]bool
	blocked map[*node]chan struct{}

	mu   sync.Mutex // Protects following.
	sent map[actors.Node]int
}

// Each session delivers what was sent in it up to a point, in order and once. If that is not all, both sides are told
// once that the session has ended. When the faults end, all nodes are linked and know what the others offer.
func TestLinksKeepTheirPromise(t *testing.T) {
	for seed := *seed1; seed < *seed1+uint64(*seeds); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { weather(t, seed) })
		})
	}
}

func weather(t *testing.T, seed uint64) {
	s := &storm{
		world: &world{t: t, bus: membus.New(seed)}, random: rand.New(rand.NewPCG(seed, 99)), done: make(chan struct{}),
		killed: map[*node]bool{}, blocked: map[*node]chan struct{}{}, sent: map[actors.Node]int{},
	}
	s.tune = func(o *Options) { o.QueueBytes = func() int64 { return 20_000 } }
	s.bus.SetMaxBytes(600) // some parcels need fragments
	for i := range 4 {
		s.join(fmt.Sprint("n", i))
	}
	for range 80 {
		s.fault()
		pass(time.Duration(s.random.IntN(1500)) * time.Millisecond)
	}
	s.clear()
	pass(10 * time.Second)
	close(s.done)
	s.senders.Wait()
	pass(5 * time.Second)
	s.check()
	s.stop()
}

// join starts a node that sends to all others.
func (s *storm) join(name string) {
	n := s.create(name, byte(s.random.IntN(256)))
	n.Offered(actors.Offered{Name: "s", ID: name}, nil)
	n.Watched(name, nil)
	n.start()
	s.alive = append(s.alive, n)
	random := rand.New(rand.NewPCG(s.random.Uint64(), 1))
	s.senders.Go(func() { s.talk(n, random) })
}

// talk sends parcels until the storm is over or the node is killed.
func (s *storm) talk(n *node, random *rand.Rand) {
	for {
		select {
		case <-s.done:
			return
		case <-time.After(time.Duration(random.IntN(40)) * time.Millisecond):
		}
		n.mu.Lock()
		remotes := n.remotes
		n.mu.Unlock()
		if len(remotes) == 0 {
			continue
		}
		// Those that are gone take nothing, which is tried as well.
		to := remotes[random.IntN(len(remotes))].node
		if random.IntN(4) > 0 {
			to = remotes[len(remotes)-1-random.IntN(min(len(remotes), 4))].node
		}
		s.mu.Lock()
		number := s.sent[to] + 1
		pad := strings.Repeat("x", random.IntN(1+random.IntN(1000)))
		if to.Send(text("%d %s", number, pad)) {
			s.sent[to] = number
		}
		s.mu.Unlock()
	}
}

// fault begins or ends one fault.
func (s *storm) fault() {
	one, other := s.pick(), s.pick()
	switch s.random.IntN(16) {
	case 0:
		s.bus.DropRate(s.random.Float64() / 5)
	case 1, 2:
		s.bus.DropRate(0)
	case 3:
		s.bus.Cut(one.o.Name, other.o.Name)
	case 4:
		s.bus.CutTo(one.o.Name, other.o.Name)
	case 5, 6:
		s.bus.Heal(one.o.Name, other.o.Name)
	case 7:
		s.bus.Stop()
	case 8, 9:
		s.bus.Restart()
	case 10:
		s.bus.Delay(one.o.Name, time.Duration(s.random.IntN(300))*time.Millisecond)
	case 11:
		s.bus.Jitter(time.Duration(1 + s.random.IntN(100)*int(time.Millisecond)))
	case 12:
		one.conn.Stall(s.random.IntN(2) == 0)
	case 13:
		s.block(one)
	case 14:
		s.restart(one)
	case 15:
		s.bus.SetLimit(s.random.IntN(20))
	}
}

func (s *storm) pick() *node { return s.alive[s.random.IntN(len(s.alive))] }

// block has the actors of a node hang, or go on.
func (s *storm) block(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.block != nil {
		close(n.block)
		n.block = nil
	} else {
		n.block = make(chan struct{})
	}
}

// restart kills a node and starts one of the same name.
func (s *storm) restart(n *node) {
	n.mu.Lock()
	if n.block != nil {
		close(n.block)
		n.block = nil
	}
	n.mu.Unlock()
	if s.random.IntN(2) == 0 {
		n.conn.Stall(false)
		n.Stop(s.t.Context())
	} else {
		n.kill()
	}
	s.killed[n] = true
	for i, other := range s.alive {
		if other == n {
			s.alive = append(s.alive[:i:i], s.alive[i+1:]...)
		}
	}
	s.join(n.o.Name)
}

// clear ends all faults.
func (s *storm) clear() {
	s.bus.DropRate(0)
	s.bus.SetLimit(0)
	s.bus.Jitter(0)
	s.bus.Restart()
	for _, one := range s.alive {
		s.bus.Delay(one.o.Name, 0)
		one.conn.Stall(false)
		for _, other := range s.alive {
			s.bus.Heal(one.o.Name, other.o.Name)
		}
		one.mu.Lock()
		if one.block != nil {
			close(one.block)
			one.block = nil
		}
		one.mu.Unlock()
	}
}

// check compares what was sent with what has come.
func (s *storm) check() {
	sessions, parcels, cut := 0, 0, 0
	for _, from := range s.nodes {
		if n := from.Counts().Panics; n > 0 {
			s.t.Errorf("%s has panicked %d times:\n%s", from.o.Name, n, from.log)
		}
		for _, to := range s.nodes {
			for _, r := range from.of(to) {
				sessions++
				parcels += s.sent[r.node]
				if !s.compare(from, to, r) {
					cut++
				}
			}
		}
	}
	for _, one := range s.alive {
		for _, other := range s.alive {
			if one != other {
				s.linked(one, other)
			}
		}
	}
	if sessions < 24 || parcels < 1000 || cut == 0 {
		s.t.Errorf("%d sessions and %d parcels, of which %d sessions lost some: the test does not test what it says", sessions, parcels, cut)
	}
	if testing.Verbose() {
		s.t.Logf("%d sessions, %d with a loss, %d parcels, %d messages dropped", sessions, cut, parcels, s.bus.Dropped())
	}
}

// compare looks at what from has sent in one session. It returns false if some was lost.
func (s *storm) compare(from, to *node, r *fakeRemote) bool {
	mine, sent := r.node.(*session), s.sent[r.node]
	number := mine.number
	var other *fakeRemote
	for _, candidate := range to.of(from) {
		if theirs := candidate.node.(*session); theirs.number == number && theirs.member.leads != mine.member.leads {
			if other != nil {
				s.t.Errorf("%s and %s had session %d twice", from.o.Name, to.o.Name, number)
			}
			other = candidate
		}
	}
	received, otherGone := 0, true
	if other != nil {
		received = s.inOrder(from, to, other)
		otherGone = other.ended()
	}
	if received > sent {
		s.t.Errorf("%s has %d parcels of session %d from %s, which has sent %d", to.o.Name, received, number, from.o.Name, sent)
	}
	ended := r.ended()
	if received < sent && !(ended && otherGone) && !s.killed[from] && !s.killed[to] {
		s.t.Errorf("%s has lost %d of %d parcels of session %d from %s; ended: %t, %t", to.o.Name, sent-received, sent, number, from.o.Name, ended, otherGone)
	}
	if ended != otherGone && !s.killed[from] && !s.killed[to] {
		s.t.Errorf("session %d of %s and %s has ended for one of them only", number, from.o.Name, to.o.Name)
	}
	return received == sent
}

// inOrder returns how many parcels a Remote has got, and fails if they are not 1, 2, 3 and so on.
func (s *storm) inOrder(from, to *node, r *fakeRemote) int {
	received := 0
	for _, call := range r.said() {
		words := strings.Fields(call)
		if words[0] != "parcel" {
			continue
		}
		received++
		if words[3] != strconv.Itoa(received) {
			s.t.Errorf("%s got parcel %s of %s as number %d", to.o.Name, words[3], from.o.Name, received)
		}
	}
	return received
}

// ended reports whether the Remote is gone. A fake panics if it is told so twice.
func (r *fakeRemote) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// linked checks that one knows all of other.
func (s *storm) linked(one, other *node) {
	one.expectState(other, Linked)
	info, _ := one.info(other)
	if len(info.Offered) != 1 || info.Offered[0].ID != other.o.Name || len(info.Watched) != 1 || info.Watched[0] != other.o.Name {
		s.t.Errorf("%s sees that %s offers %v and watches %v", one.o.Name, other.o.Name, info.Offered, info.Watched)
	}
	if one.last(other).node.(*session).number != other.last(one).node.(*session).number {
		s.t.Errorf("%s and %s are in different sessions", one.o.Name, other.o.Name)
	}
	for _, n := range one.world.nodes {
		if s.killed[n] {
			one.expectState(n, "")
		}
	}
}
