package ticket

import (
	"container/list"
	"math"
	"time"
)

// Over is the generation of a session none of whose tickets is good any more.
const Over = math.MaxUint32

// Use says that the tickets of a session are used up, up to those of its generation.
type Use struct {
	Session Session
	At      time.Time // all tickets of it were made before that
	Until   time.Time // when the last of these tickets ends
}

// used knows which tickets are used up. It holds one Use for each session, in the order in which they came.
//
// A use that is forgotten leaves its time behind, and tickets from before that time are not good. If a use is forgotten
// because its tickets have ended, so have all from before it. If it is forgotten because there are too many, or because
// somebody has moved the clock, some that were not used are refused. None is good twice.
type used struct {
	sessions map[[16]byte]*list.Element
	order    *list.List // of Use
	before   time.Time  // tickets that were made before it, or at it, are not good
	forced   int64      // uses that were forgotten because there were too many
}

func newUsed() used { return used{sessions: make(map[[16]byte]*list.Element), order: list.New()} }

// get returns the use of a session.
func (u *used) get(id [16]byte) (Use, bool) {
	e := u.sessions[id]
	if e == nil {
		return Use{}, false
	}
	return e.Value.(Use), true
}

// put notes a use. One of a lower generation than is known changes nothing. It returns whether something has changed.
func (u *used) put(use Use, limit int) bool {
	if e := u.sessions[use.Session.ID]; e != nil {
		known := e.Value.(Use)
		if known.Session.Generation >= use.Session.Generation {
			return false
		}
		if known.Until.After(use.Until) {
			use.Until = known.Until
		}
		if known.At.After(use.At) {
			use.At = known.At // somebody has moved the clock
		}
		u.order.Remove(e)
	}
	u.sessions[use.Session.ID] = u.order.PushBack(use)
	for u.order.Len() > max(limit, 1) {
		u.forced++
		u.forget(u.order.Front())
	}
	return true
}

// restore undoes the use of one ticket. There must have been no other use of its session since.
func (u *used) restore(now, before Use, known bool) {
	e := u.sessions[now.Session.ID]
	if e == nil || e.Value.(Use).Session != now.Session {
		return
	}
	if known {
		e.Value = before
		return
	}
	u.order.Remove(e)
	delete(u.sessions, now.Session.ID)
}

// prune forgets uses whose tickets have ended.
func (u *used) prune(now time.Time) {
	for e := u.order.Front(); e != nil && !now.Before(e.Value.(Use).Until); e = u.order.Front() {
		u.forget(e)
	}
}

func (u *used) forget(e *list.Element) {
	use := e.Value.(Use)
	u.refuseBefore(use.At)
	u.order.Remove(e)
	delete(u.sessions, use.Session.ID)
}

// refuseBefore has no ticket be good that was made before t.
func (u *used) refuseBefore(t time.Time) {
	if t.After(u.before) {
		u.before = t
	}
}
