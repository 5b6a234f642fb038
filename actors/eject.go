package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/refusals"
)

// standing is what the answers of a remote instance say about it.
type standing struct {
	missed  int       // requests in a row that it did not answer in time
	owes    time.Time // by Deps.Awake: since when it has had requests and answered none
	ejected bool      // it gets no requests
	why     ejection
	next    time.Time // by Deps.Awake: when an ejected one gets one request to try it, or one of another node is not shunned any more
	doubted bool      // it was ejected since it came
	unwell  bool      // it has not answered the last health request
}

// ejection says why an instance was ejected.
type ejection int

const (
	byMisses  ejection = iota // it left too many requests in a row unanswered
	bySilence                 // it answered nothing for too long
	byHealth                  // it did not answer a health request
)

// text returns the reason as the log has it, and the setting that decides.
func (e ejection) text() (why, setting string) {
	switch e {
	case byMisses:
		return "it left too many requests in a row unanswered", "routing.eject_after"
	case bySilence:
		return "it has had requests for too long and answered none", "routing.eject_silence"
	default:
		return "it did not answer a health request", "routing.health, routing.health_interval"
	}
}

// ejects reports whether instances are ejected for what they leave unanswered.
func (s *Settings) ejects() bool { return s.EjectAfter > 0 || s.EjectSilence > 0 }

// judged reports whether the instance may be ejected: it is a connection of this node. Another node judges its own
// instances and hands requests to ejected ones back, and the supervisor judges a service in this process.
func (i *instance) judged() bool { return i.peer.local == nil && i.peer.node == nil }

// skipped reports whether an instance gets no request because it is ejected, and it is not time to try it.
func (s *service) skipped(i *instance) bool {
	return i.ejected && (i.why == byHealth || s.deps.Awake().Before(i.next))
}

// shunned reports whether an instance of another node has handed a request back lately. Its node has ejected it, and tries
// it with the next request that it gets.
func (i *instance) shunned(now time.Time) bool { return i.peer.node != nil && now.Before(i.next) }

// eject lets an instance get no more requests, and takes those back that it has. One that is ejected already was tried in
// vain.
func (s *service) eject(i *instance, why ejection) {
	now := s.deps.Awake()
	open := i.open
	i.missed, i.next = 0, now.Add(s.deps.settings().EjectPause)
	if !i.ejected {
		i.ejected, i.doubted, i.why, s.doubts, s.pending.doubts = true, true, why, true, true
		s.deps.Counters.Ejections.Add(1)
		s.deps.Counters.Ejected.Add(1)
		reason, setting := why.text()
		s.deps.Log.Warn("instance ejected: it gets no requests until it answers again", append(s.about(i), "why", reason, "open", open, "setting", setting)...)
	}
	for r, next := s.pending.ages.first, (*request)(nil); r != nil; r = next {
		next = r.links[byAge].next
		if r.lose(i) {
			i.open--
			s.takeBack(r, i)
		}
	}
}

// about returns the attributes with which the log names an instance.
func (s *service) about(i *instance) []any {
	return []any{"service", refusals.Clip(s.name), "class", refusals.Clip(i.peer.Class), "remote", i.peer.Remote.String()}
}

// takeBack takes care of a request that a living instance does not answer any more.
func (s *service) takeBack(r *request, by *instance) {
	if r.asker.peer.node != nil {
		s.handBack(r, by, false, false)
	}
	switch {
	case len(r.takers) > 0:
	case r.asker.left || r.renewed():
		s.measure(r, meter.Lost, s.deps.Awake())
		s.pending.remove(r)
	default:
		s.orphaned(r, by)
	}
}

// readmit gives requests to an ejected instance again.
func (s *service) readmit(i *instance) {
	i.ejected, i.missed = false, 0
	s.deps.Counters.Ejected.Add(-1)
	s.deps.Log.Info("instance gets requests again", s.about(i)...)
}

// answered notes that an instance has answered a request in time.
func (s *service) answered(from *Peer, now time.Time) {
	if !s.doubts && !s.deps.settings().ejects() {
		return
	}
	i := s.instance(from)
	if i == nil || !i.judged() {
		return
	}
	i.missed, i.owes = 0, now
	if i.ejected && i.why != byHealth {
		s.readmit(i)
	}
}

// counts reports whether a reply to r counts. Of an instance that was ejected only those do that it was not relieved of:
// its answers may be to requests that somebody else has answered since.
func (s *service) counts(r *request, from *Peer) bool {
	i := s.instance(from)
	if i == nil || !i.doubted || slices.Contains(r.takers, i) || slices.Contains(r.had, i.number) {
		return true
	}
	for old := r.asker.renewed[r.key].first; old != nil; old = old.links[byRenewal].next {
		if slices.Contains(old.takers, i) {
			return true
		}
	}
	return false
}

// doubtful reports whether a peer is an instance that was ejected since it came.
func (s *service) doubtful(from *Peer) bool {
	i := s.instance(from)
	return i != nil && i.doubted
}

// allEjected answers a request at once, because all instances that might answer it are ejected.
func (s *service) allEjected(m *ask) {
	s.deps.bury(InstancesEjected, RequestLetter, m.envelope, m.from)
	s.deps.refusals.Add(refusals.Event{
		Cause: refusals.Ejected, Kind: s.name, Role: Client.String(), Remote: m.from.Remote.String(),
		More: []any{"service", refusals.Clip(s.name), "subscriber", m.from.ID, "user", m.from.UserName},
	})
	// Without an id a page would take the answer for something else.
	if requestKey(m.envelope) != (envelope.Key{}) {
		s.deps.answer(m.from.Outlet, envelope.Unavailable, m.envelope)
	}
}
