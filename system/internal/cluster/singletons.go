package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Stance is how a node stands to a singleton: a service that one node of the cluster has at a time. Heartbeats say it. A
// node that has no stance would not run the service.
type Stance string

// The stances.
const (
	Stands Stance = "stands" // it would run it
	Runs   Stance = "runs"   // it has it
	Serves Stance = "serves" // it has it, and every node knows the instance
	Ails   Stance = "ails"   // it has it, and leaves it to any node that stands, because it does not work there
)

// has reports whether the node has the singleton.
func (s Stance) has() bool { return s == Runs || s == Serves || s == Ails }

// known reports whether a node of this version says so.
func (s Stance) known() bool { return s == Stands || s.has() }

// heirWait is how long the singletons of a node are left to the process that takes its place.
const heirWait = 4 * time.Second

// single is a singleton as this node stands to it.
type single struct {
	name    string
	willing bool
	has     bool
	serves  bool
	ails    bool
	pause   time.Duration // after this node has given it up because it ails
	rests   time.Time     // until when others come first
	lost    string        // why the node is gone that had it last; empty: nobody had
}

// stance returns what heartbeats say, empty if there is nothing to say.
func (s *single) stance(now time.Time) Stance {
	switch {
	case s.has && s.ails:
		return Ails
	case s.has && s.serves:
		return Serves
	case s.has:
		return Runs
	case s.willing && !now.Before(s.rests):
		return Stands
	}
	return ""
}

// election is what Links knows besides what the nodes say of singletons.
type election struct {
	singles   []*single // by name
	legacies  []legacy
	aware     time.Time // since when this process runs without a break
	ticked    time.Time
	handsDown bool // see HandDown
}

// legacy is the singletons that a node leaves to the process that takes its place.
type legacy struct {
	node  string
	names []string
	until time.Time
}

var errManySingletons = errors.New("the names of the singletons are too long together for the heartbeats of this node")

// Keep says which singletons this node would run, and which of them it has already because it takes the place of another
// process. It is called before Start.
func (l *Links) Keep(names, has []string) error {
	l.mu.Lock()
	defer l.unlock()
	for _, name := range slices.Sorted(slices.Values(names)) {
		l.singles = append(l.singles, &single{name: name, willing: true, has: slices.Contains(has, name)})
	}
	if n := len(l.say(false)) + len(l.singles)*len(Stands); n > maxHeartbeat {
		return fmt.Errorf("%w: %d singletons take %d bytes of %d", errManySingletons, len(names), n, maxHeartbeat)
	}
	return nil
}

// KeepToo says that this node would run one more singleton.
func (l *Links) KeepToo(name string) error {
	l.mu.Lock()
	defer l.unlock()
	before := l.singles
	l.singles = append(slices.Clone(before), &single{name: name, willing: true})
	slices.SortFunc(l.singles, func(a, b *single) int { return cmp.Compare(a.name, b.name) })
	if n := len(l.say(false)) + len(l.singles)*len(Stands); n > maxHeartbeat {
		l.singles = before
		return fmt.Errorf("%w: %d singletons take %d bytes of %d", errManySingletons, len(before)+1, n, maxHeartbeat)
	}
	l.heartbeat()
	l.elect()
	l.touch()
	return nil
}

// Drop says that this node does not run a singleton any more, and forgets it.
func (l *Links) Drop(name string) {
	l.mu.Lock()
	defer l.unlock()
	l.singles = slices.DeleteFunc(slices.Clone(l.singles), func(s *single) bool { return s.name == name })
	l.heartbeat()
	l.elect()
	l.touch()
}

// single returns a singleton, or one without effect.
func (l *Links) single(name string) *single {
	at := slices.IndexFunc(l.singles, func(s *single) bool { return s.name == name })
	if at < 0 {
		return new(single)
	}
	return l.singles[at]
}

// changeSingle changes how this node stands to a singleton, and says so at once.
func (l *Links) changeSingle(name string, change func(s *single)) {
	l.mu.Lock()
	defer l.unlock()
	s := l.single(name)
	before := *s
	if change(s); *s != before {
		l.heartbeat()
		l.elect()
		l.touch()
	}
}

// heartbeat has a heartbeat sent now.
func (l *Links) heartbeat() {
	l.beat = true
	signal(l.wake)
}

// Has reports whether this node is to run a singleton.
func (l *Links) Has(name string) bool {
	l.mu.Lock()
	defer l.unlock()
	return l.single(name).has
}

// Serving says that every node knows the instance of a singleton that this node has.
func (l *Links) Serving(name string) { l.changeSingle(name, func(s *single) { s.serves = s.has }) }

// Ailing says whether a singleton that this node has does not work. After another one has taken it, this node leaves it
// to others for a while.
func (l *Links) Ailing(name string, ails bool, pause time.Duration) {
	l.changeSingle(name, func(s *single) { s.ails, s.pause = s.has && ails, pause })
}

// Stand says whether this node would run a singleton. One that would not does not have it.
func (l *Links) Stand(name string, willing bool) {
	l.changeSingle(name, func(s *single) {
		if s.willing = willing; !willing {
			s.has, s.serves, s.ails = false, false, false
		}
	})
}

// Willing reports whether this node would run a singleton or does so.
func (l *Links) Willing(name string) bool {
	l.mu.Lock()
	defer l.unlock()
	return l.single(name).willing
}

// Elsewhere returns the name of a node whose stance to a singleton is the one given, empty if there is none.
func (l *Links) Elsewhere(name string, is Stance) string {
	l.mu.Lock()
	defer l.unlock()
	for _, m := range l.inOrder() {
		if m.singles[name] == is {
			return m.name
		}
	}
	return ""
}

// Alone has this node run all that it would run, because it cannot reach the bus.
func (l *Links) Alone() {
	l.mu.Lock()
	defer l.unlock()
	for _, s := range l.singles {
		if s.willing && !s.has {
			l.win(s, "this node cannot join the cluster")
		}
	}
}

// HandDown says that another process takes this node's place, and its singletons, after Stop.
func (l *Links) HandDown() {
	l.mu.Lock()
	defer l.unlock()
	l.handsDown = true
}

// inOrder returns the nodes that count, those first that come first.
func (l *Links) inOrder() []*member {
	var all []*member
	for _, m := range l.members {
		if m.refused == "" && len(m.singles) > 0 {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *member) int { return compareNodes(a.name, a.id, b.name, b.id) })
	return all
}

// compareNodes says which of two nodes comes first: the one with the smaller name, and of those with the same name the one
// with the smaller id.
func compareNodes(name string, id nodeID, otherName string, otherID nodeID) int {
	return cmp.Or(cmp.Compare(name, otherName), cmp.Compare(string(id[:]), string(otherID[:])))
}

// stances returns how this node stands to all singletons, nil if there is nothing to say.
func (l *Links) stances() map[string]Stance {
	var all map[string]Stance
	now := l.o.Clock.Now()
	for _, s := range l.singles {
		if stance := s.stance(now); stance != "" {
			if all == nil {
				all = make(map[string]Stance)
			}
			all[s.name] = stance
		}
	}
	return all
}

// stood takes what a heartbeat says of singletons.
func (l *Links) stood(m *member, said map[string]Stance) {
	maps.DeleteFunc(said, func(_ string, s Stance) bool { return !s.known() })
	if maps.Equal(m.singles, said) {
		return
	}
	m.singles = said
	l.elect()
	l.touch()
}

// bequeath notes why a node that is gone does not have its singletons any more.
func (l *Links) bequeath(m *member, cause string, heir bool) {
	left := legacy{node: m.name, until: l.o.Clock.Now().Add(heirWait)}
	for name, stance := range m.singles {
		if stance.has() {
			left.names = append(left.names, name)
			l.single(name).lost = "node " + m.name + ": " + cause
		}
	}
	if heir && len(left.names) > 0 {
		l.legacies = append(l.legacies, left)
	}
}

// reserved reports whether a singleton is left to the process that takes the place of the node which had it.
func (l *Links) reserved(name string, now time.Time) bool {
	l.legacies = slices.DeleteFunc(l.legacies, func(left legacy) bool { return !now.Before(left.until) })
	return slices.ContainsFunc(l.legacies, func(left legacy) bool { return left.node != l.o.Name && slices.Contains(left.names, name) })
}
