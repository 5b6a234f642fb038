package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"strowger/actors/envelope"
)

func newTable(limit int) *pending { return newPending(func() int { return limit }) }

var epoch = time.Unix(1000, 0)

// keyed returns the key of the request id that is a number.
func keyed(id int) envelope.Key { return envelope.KeyOf([]byte(strconv.Itoa(id))) }

func TestPendingLimit(t *testing.T) {
	p, a, b := newTable(2), &Peer{Identity: Identity{ID: "a"}}, &Peer{Identity: Identity{ID: "b"}}
	for _, step := range []struct {
		peer *Peer
		id   int
		want bool
	}{
		{a, 1, true}, {a, 2, true}, {a, 3, false}, {b, 1, true},
		{a, 2, false}, {a, 3, false}, {b, 1, true}, {b, 1, false}, {b, 3, false},
	} {
		if got := p.add(step.peer, keyed(step.id), epoch) != nil; got != step.want {
			t.Errorf("add %s/%d is %v, want %v", step.peer.ID, step.id, got, step.want)
		}
	}
	p.settle(p.askers["a"].requests[keyed(1)])
	if p.add(a, keyed(3), epoch) == nil {
		t.Error("no room after a reply")
	}
	recount(t, p)
}

// A request whose id is used again counts until it has a reply, its time is over, or its taker dies.
func TestPendingCountsRenewed(t *testing.T) {
	const limit = 3
	at := func(i int) time.Time { return epoch.Add(time.Duration(i) * time.Second) }
	for _, c := range []struct {
		name string
		free func(p *pending, taker *instance)
		room int // for requests
	}{
		{"nothing happens", func(*pending, *instance) {}, 0},
		{"one reply", func(p *pending, _ *instance) { p.settle(p.askers["a"].requests[keyed(1)]) }, 1},
		{"a reply for each", func(p *pending, _ *instance) {
			for range limit {
				p.settle(p.askers["a"].requests[keyed(1)])
			}
		}, limit},
		{"the only reply of a service in this process", func(p *pending, _ *instance) { p.finish(p.askers["a"].requests[keyed(1)]) }, 1},
		{"the time of the first is over", func(p *pending, _ *instance) { p.expire(at(0), 0, ignore) }, 1},
		{"the time of two is over", func(p *pending, _ *instance) { p.expire(at(1), 0, ignore) }, 2},
		{"their taker dies", func(p *pending, taker *instance) {
			orphans := p.lost(taker, ignore, ignore)
			taker.open = 0 // nobody counts what a dead one has
			if len(orphans) != 1 {
				t.Errorf("%d requests are to be answered, want the last", len(orphans))
			}
			for _, r := range orphans {
				p.remove(r)
			}
		}, limit},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, a, taker := newTable(limit), &Peer{Identity: Identity{ID: "a"}}, &instance{peer: &Peer{}}
			for i := range limit {
				r := p.add(a, keyed(1), at(i))
				if r == nil {
					t.Fatalf("request %d finds no room", i+1)
				}
				r.takers = append(r.takers, taker)
				taker.open++
			}
			if p.add(a, keyed(1), at(limit)) != nil {
				t.Fatal("one more than the limit finds room")
			}
			recount(t, p)
			c.free(p, taker)
			recount(t, p)
			if want := limit - c.room; taker.open != want {
				t.Errorf("the taker has %d, want %d", taker.open, want)
			}
			room := 0
			for p.add(a, keyed(1), at(limit)) != nil {
				room++
			}
			if room != c.room {
				t.Errorf("room for %d, want %d", room, c.room)
			}
			recount(t, p)
		})
	}
}

func TestPendingRemembersSoManyAnswered(t *testing.T) {
	p, a := newTable(2), &Peer{Identity: Identity{ID: "a"}}
	for i := range 5 {
		key := keyed(i)
		p.add(a, key, epoch)
		p.settle(p.askers["a"].requests[key])
	}
	for i, want := range []bool{false, false, false, true, true} {
		if _, got := p.askers["a"].requests[keyed(i)]; got != want {
			t.Errorf("request %d remembered: %v, want %v", i, got, want)
		}
	}
	recount(t, p)
}

func TestPendingRemembersNoMoreThanItsShare(t *testing.T) {
	p, a := newTable(1000), &Peer{Identity: Identity{ID: "a"}}
	for i := range 3 * remembered {
		key := keyed(i)
		p.settle(p.add(a, key, epoch))
	}
	if got := len(p.askers["a"].requests); got != remembered {
		t.Errorf("%d answered requests remembered, want %d", got, remembered)
	}
	recount(t, p)
}

func TestPendingOnly(t *testing.T) {
	p, a, b := newTable(9), &Peer{Identity: Identity{ID: "a"}}, &Peer{Identity: Identity{ID: "b"}}
	check := func(when string, want *Peer, ambiguous bool) {
		t.Helper()
		r, many := p.only(keyed(1))
		var got *Peer
		if r != nil {
			got = r.asker.peer
		}
		if got != want || many != ambiguous {
			t.Errorf("%s: got %v ambiguous %v, want %v ambiguous %v", when, got, many, want, ambiguous)
		}
	}
	check("empty", nil, false)
	p.add(a, keyed(1), epoch)
	p.add(a, keyed(2), epoch)
	check("one", a, false)
	p.add(b, keyed(1), epoch)
	check("two", nil, true)
	p.settle(p.askers["a"].requests[keyed(1)])
	check("one answered", b, false)
	p.settle(p.askers["a"].requests[keyed(1)])
	check("answered twice", b, false)
	p.add(a, keyed(1), epoch)
	check("asked anew", nil, true)
	p.gone("b", ignore)
	p.gone("b", ignore)
	check("other has gone, its reply may come", nil, true)
	p.expire(epoch.Add(time.Minute), 0, ignore)
	check("all over", nil, false)
	p.gone("a", ignore)
	if len(p.askers) != 0 {
		t.Errorf("%d askers are left", len(p.askers))
	}
	recount(t, p)
}

func TestPendingExpire(t *testing.T) {
	p, a := newTable(9), &Peer{Identity: Identity{ID: "a"}}
	for i := range 4 {
		p.add(a, keyed(i), epoch.Add(time.Duration(i)*time.Second))
	}
	p.settle(p.askers["a"].requests[keyed(0)])
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{9 * time.Second, 4}, {10 * time.Second, 3}, {12*time.Second - 1, 2}, {time.Hour, 0}} {
		p.expire(epoch.Add(step.after), 10*time.Second, ignore)
		if got := p.ages.length; got != step.left {
			t.Errorf("%d left after %v, want %d", got, step.after, step.left)
		}
		recount(t, p)
	}
	if p.askers["a"] == nil {
		t.Error("the asker was forgotten with its requests")
	}
}

// walk goes through a chain in both directions and counts.
func walk(t *testing.T, which int, c chain) {
	t.Helper()
	there, back := 0, 0
	for r := c.first; r != nil; r = r.links[which].next {
		there++
	}
	for r := c.last; r != nil; r = r.links[which].prev {
		back++
	}
	if there != c.length || back != c.length {
		t.Fatalf("chain %d: %d forwards, %d backwards, length %d", which, there, back, c.length)
	}
}

// recount compares every count and index of the table with what the requests themselves say.
func recount(t *testing.T, p *pending) {
	t.Helper()
	total, unsettled := 0, 0
	for id, a := range p.askers {
		open, answered := 0, 0
		for key, r := range a.requests {
			if r.key != key || r.asker != a || a.peer.ID != id {
				t.Fatalf("request %s of %s is filed under %s of %s", r.key, r.asker.peer.ID, key, id)
			}
			if waits := r.links[byKey].in; waits == r.answered() {
				t.Fatalf("request %s of %s: answered %v, unsettled %v", key, id, r.answered(), waits)
			}
			if !r.answered() {
				open++
			} else {
				answered++
			}
		}
		renewed := 0
		for key, same := range a.renewed {
			if same.length == 0 {
				t.Fatalf("empty chain kept for %s of %s", key, id)
			}
			walk(t, byRenewal, same)
			for r := same.first; r != nil; r = r.links[byRenewal].next {
				if r.key != key || r.asker != a || r.answered() || r.links[byKey].in {
					t.Fatalf("request %s is wrongly among the renewed ones for %s of %s", r.key, key, id)
				}
			}
			renewed += same.length
		}
		walk(t, byAnswer, a.answered)
		if a.open != open+renewed || a.answered.length != answered {
			t.Fatalf("%s counts %d open and %d answered, has %d and %d", id, a.open, a.answered.length, open+renewed, answered)
		}
		if limit := p.limit(); a.open > limit || answered > limit {
			t.Fatalf("%s has %d open and %d answered, over %d", id, a.open, answered, limit)
		}
		total += len(a.requests) + renewed
		unsettled += open
	}
	walk(t, byAge, p.ages)
	if p.ages.length != total {
		t.Fatalf("%d by age, %d in all", p.ages.length, total)
	}
	for key, same := range p.unsettled {
		if same.length == 0 {
			t.Fatalf("empty chain kept for %s", key)
		}
		walk(t, byKey, same)
		unsettled -= same.length
	}
	if unsettled != 0 {
		t.Fatalf("unsettled ones are off by %d", unsettled)
	}
}

// Whatever happens in whatever order, the table agrees with a recount of itself, and with what a
// plain list of the same events says of a single request.
func TestPendingRandom(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		p, now := newTable(3), epoch
		peers, generation := []*Peer{{Identity: Identity{ID: "a"}}, {Identity: Identity{ID: "b"}}, {Identity: Identity{ID: "c"}}}, 0
		for range 400 {
			peer, key := peers[random.IntN(len(peers))], keyed(random.IntN(6))
			switch random.IntN(8) {
			case 0, 1, 2:
				open := 0
				if a := p.askers[peer.ID]; a != nil {
					open = a.open
				}
				if got, want := p.add(peer, key, now.Add(10*time.Second)) != nil, open < 3; got != want {
					t.Fatalf("seed %d: add with %d open is %v", seed, open, got)
				}
			case 3, 4:
				if a := p.askers[peer.ID]; a != nil && a.requests[key] != nil {
					p.settle(a.requests[key])
				}
			case 5:
				now = now.Add(time.Duration(random.IntN(8)) * time.Second)
				p.expire(now, 5*time.Second, ignore)
				for r := p.ages.first; r != nil; r = r.links[byAge].next {
					if !now.Before(r.deadline.Add(5 * time.Second)) {
						t.Fatalf("seed %d: %s outlived its deadline", seed, r.key)
					}
				}
			case 6:
				p.gone(peer.ID, ignore)
				if a := p.askers[peer.ID]; a != nil && (a.open == 0 || a.answered.length > 0) {
					t.Fatalf("seed %d: %s is still known", seed, peer.ID)
				}
				// Ids are never given twice.
				generation++
				peers[slices.Index(peers, peer)] = &Peer{Identity: Identity{ID: fmt.Sprint(peer.ID[:1], generation)}}
			default:
				askers := 0
				for _, a := range p.askers {
					if r := a.requests[key]; r != nil && !r.answered() {
						askers++
					}
				}
				r, ambiguous := p.only(key)
				if (r != nil) != (askers == 1) || ambiguous != (askers > 1) {
					t.Fatalf("seed %d: only is %v, ambiguous %v with %d askers", seed, r, ambiguous, askers)
				}
			}
			recount(t, p)
		}
		for _, peer := range peers {
			p.gone(peer.ID, ignore)
		}
		p.expire(now.Add(time.Minute), 0, ignore)
		if p.ages.length != 0 || len(p.unsettled) != 0 || len(p.askers) != 0 {
			t.Fatalf("seed %d: the table is not empty when all have gone", seed)
		}
	}
}

// ignore is told what became of a request.
func ignore(*request) {}
