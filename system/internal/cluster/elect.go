package cluster

import (
	"time"
)

// Each node decides for itself, by what the heartbeats of the others say, and all decide by the same rules:
//
//   - A node that has a singleton keeps it.
//   - Of several that have it, those come first on which it works, and then the node that comes first by its name. The
//     others give it up.
//   - If no node has it, or it works on none of them, the first node takes it that stands.

// lateTick is how late a tick may be. A later one says that this process did not run for a while.
const lateTick = time.Second

// elect decides about all singletons.
func (l *Links) elect() {
	if len(l.singles) == 0 || l.stage != running {
		return
	}
	now, nodes := l.o.Clock.Now(), l.inOrder()
	for _, s := range l.singles {
		l.decide(s, nodes, now)
	}
}

func (l *Links) decide(s *single, nodes []*member, now time.Time) {
	owner, well := l.owner(s.name, nodes)
	switch {
	case s.has && owner != nil && l.yields(s, owner, well):
		l.lose(s, owner, now)
	case s.has || !s.willing || well || !l.informed(now) || l.reserved(s.name, now):
	case !l.isFirst(s, nodes, owner != nil, now):
	case owner != nil:
		l.win(s, "it does not work on node "+owner.name)
	case s.lost != "":
		l.win(s, s.lost)
	default:
		l.win(s, "no node has it")
	}
}

// owner returns the first of the other nodes that has a singleton, nil if none has. Well says whether it works there.
func (l *Links) owner(name string, nodes []*member) (owner *member, well bool) {
	for _, m := range nodes {
		switch stance := m.singles[name]; {
		case !stance.has():
		case stance != Ails:
			return m, true
		case owner == nil:
			owner = m
		}
	}
	return owner, false
}

// yields reports whether this node gives up a singleton that it has and another node has too.
func (l *Links) yields(s *single, owner *member, well bool) bool {
	if s.ails == well {
		return s.ails
	}
	return compareNodes(owner.name, owner.id, l.o.Name, l.id) < 0
}

// informed reports whether this node has had time to hear the others.
func (l *Links) informed(now time.Time) bool {
	age := now.Sub(l.aware)
	return age >= goneAfter || len(l.members) > 0 && age >= settleOne
}

// isFirst reports whether this node comes before all others that stand. One that rests comes after them, and waits while
// another one has the singleton.
func (l *Links) isFirst(s *single, nodes []*member, owned bool, now time.Time) bool {
	rests := now.Before(s.rests)
	if rests && owned {
		return false
	}
	for _, m := range nodes {
		if m.singles[s.name] == Stands {
			return !rests && compareNodes(l.o.Name, l.id, m.name, m.id) < 0
		}
	}
	return true
}

// win makes a singleton this node's.
func (l *Links) win(s *single, cause string) {
	s.has, s.serves, s.ails, s.rests, s.lost = true, false, false, time.Time{}, ""
	l.counts.Taken++
	l.later(func() { l.o.Log.Info("this node takes a singleton", "service", s.name, "cause", cause) })
	l.heartbeat()
	l.touch()
}

// lose gives a singleton up that another node has too.
func (l *Links) lose(s *single, owner *member, now time.Time) {
	cause := "node " + owner.name + " has it too, and comes first"
	if s.ails {
		s.rests = now.Add(s.pause)
		cause = "it does not work here, and node " + owner.name + " has taken it"
	}
	s.has, s.serves, s.ails = false, false, false
	l.counts.Yielded++
	l.later(func() { l.o.Log.Warn("this node gives a singleton up", "service", s.name, "cause", cause) })
	l.heartbeat()
	l.touch()
}
