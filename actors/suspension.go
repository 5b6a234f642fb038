package actors

import (
	"slices"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// suspension is a client whose connection is lost and who may come back with a ticket. Its services have it as an asker
// still, and keepers have what they say to it.
type suspension struct {
	deps    *Deps
	id      string // of the subscriber
	session Session
	address string
	remote  string
	until   time.Time
	asked   *asked
	keepers map[string]*keeper // by service; never changed

	messages, bytes atomic.Int64           // that all keepers have
	spilled         atomic.Pointer[string] // the setting for which they had no room for one more; nil: they had

	stop func() bool // stops the timer; the sessions' actor has it
}

// Messages about suspensions.
type (
	// askerHeld has a service write to a client by way of a keeper.
	askerHeld struct {
		unmissed
		peer *Peer
	}
	// askerOpen asks a service which requests of a client have no reply yet. It calls report once, by any goroutine.
	askerOpen struct {
		id     string
		report func(ids []string)
	}
	// askerBack has a service write to the new connection of a client.
	askerBack struct {
		unmissed
		peer *Peer
	}
	// restored tells a connection which requests of its client go on.
	restored struct {
		unmissed
		recoveries []Recovery
		open       *runtime.Set[string]
	}
	// waitOver says that a client has not come back in time.
	waitOver struct {
		unmissed
		of *suspension
	}
	// waitSpilled says that too much is kept for a client.
	waitSpilled struct {
		unmissed
		of *suspension
	}
	// waitNoMore ends all suspensions.
	waitNoMore struct {
		unmissed
		why string
	}
)

func (*askerHeld) toService()    {}
func (*askerOpen) toService()    {}
func (*askerBack) toService()    {}
func (*restored) toConnection()  {}
func (*waitOver) toSessions()    {}
func (*waitSpilled) toSessions() {}
func (*waitNoMore) toSessions()  {}

func (m *askerOpen) lost(*Deps, runtime.Loss) { m.report(nil) }

// takes takes room for a reply, and reports whether there is some. If not, nobody waits for the client any longer.
func (w *suspension) takes(size int64) bool {
	set := w.deps.settings()
	all := w.deps.Counters.Kept.Add(size)
	setting := ""
	switch messages, bytes := w.messages.Add(1), w.bytes.Add(size); {
	case set.ResumeMessages > 0 && messages > int64(set.ResumeMessages), set.ResumeBytes > 0 && bytes > set.ResumeBytes && messages > 1:
		setting = "tokens.resume_messages, tokens.resume_bytes"
	case set.PendingTotal > 0 && all > set.PendingTotal:
		setting = "limits.pending_total_bytes"
	default:
		return true
	}
	w.gives(size)
	if w.spilled.CompareAndSwap(nil, &setting) {
		w.deps.sessions.Send(&waitSpilled{of: w})
	}
	return false
}

// gives gives room back.
func (w *suspension) gives(size int64) {
	w.deps.Counters.Kept.Add(-size)
	w.messages.Add(-1)
	w.bytes.Add(-size)
}

// end has the client be one that has left. It returns how many replies were kept for it.
func (w *suspension) end() int {
	kept := 0
	for _, k := range w.keepers {
		kept += k.end()
	}
	w.deps.Counters.Unreturned.Add(1)
	w.deps.left(w.asked)
	return kept
}

// suspend returns the suspension that the end of the connection begins; nil: nobody waits for the client.
func (c *connection) suspend() *suspension {
	if c.before != nil {
		c.before.end() // it was not let in, so it has no ticket to come back with
		c.before = nil
	}
	if !c.suspends() || c.asked == nil {
		return nil
	}
	now := c.deps.Clock.Now()
	w := &suspension{
		deps: c.deps, id: c.peer.ID, session: c.resumption.session, address: address(c.remote), remote: c.remote.String(),
		until: now.Add(c.deps.settings().ResumeWait), asked: c.asked, keepers: make(map[string]*keeper),
	}
	if end := c.peer.Expiry(); !end.IsZero() && end.Before(w.until) {
		w.until = end
	}
	peers := make(map[string]*Peer)
	for _, name := range c.asked.names.All() {
		route := c.deps.Registry.Lookup(name)
		if route == nil {
			continue
		}
		k := &keeper{of: w, progress: route.progress}
		p := c.deps.peerOf(c.peer.ID, c.peer.credentials(), k)
		p.Remote, p.wishes = c.remote, c.peer.wishes
		w.keepers[name], peers[name] = k, p
		route.Service.Send(&askerHeld{peer: p})
	}
	c.asked.suspended.Store(&peers)
	return w
}

// suspends reports whether the client may come back for its requests.
func (c *connection) suspends() bool {
	r := c.resumption
	return r != nil && !r.until.IsZero() && !r.elsewhere && c.keeps() && !c.over && !c.peer.dismissed.Load() && !c.peer.expired(c.deps.Clock)
}

// keeps reports whether the requests of the client are kept when its connection is lost.
func (c *connection) keeps() bool {
	return c.peer.wishes != nil && c.peer.wishes.keeps && c.deps.settings().ResumeWait > 0
}

// returns makes the connection that of the client of a suspension, if the client wants that.
func (c *connection) returns(w *wishes) (id string) {
	before := c.before
	if before == nil {
		return envelope.NewID()
	}
	if w == nil || !w.keeps || calls(c.socket) {
		c.before = nil
		before.end()
		return envelope.NewID()
	}
	return before.id
}

// inquireOpen asks the services which requests of the client go on. The answer is a *restored.
func (c *connection) inquireOpen(recoveries []Recovery) {
	m, self := &restored{recoveries: recoveries, open: new(runtime.Set[string])}, c.self
	one := Countdown(len(c.before.keepers), func() { self.Send(m) })
	for name := range c.before.keepers {
		ask := &askerOpen{id: c.before.id, report: func(ids []string) {
			for _, id := range ids {
				m.open.Add(id, always)
			}
			one()
		}}
		if route := c.deps.Registry.Lookup(name); route != nil {
			route.Service.Send(ask)
		} else {
			ask.report(nil)
		}
	}
}

// restored lets the client in, which gets first the 200 and then the replies that were kept.
func (c *connection) restored(m *restored) {
	if c.state == closing {
		return
	}
	w := c.before
	c.before = nil
	c.asked = c.deps.askers.add(c.peer)
	for _, name := range w.asked.names.All() {
		c.asked.names.Add(name, c.deps.Registry.has)
	}
	for name, k := range w.keepers {
		k.open(c.socket)
		for _, id := range k.tell() {
			m.open.Add(id, always)
		}
		if route := c.deps.Registry.Lookup(name); route != nil {
			route.Service.Send(&askerBack{peer: c.peer})
		}
	}
	c.entry.open = slices.Sorted(slices.Values(m.open.All()))
	c.deps.Counters.Returned.Add(1)
	c.letIn(m.recoveries)
}

// mostOpen is how many bytes the ids of requests that go on may take. The client takes others for lost.
const mostOpen = 64 << 10

// appendOpen appends the ids of the requests that go on.
func appendOpen(out envelope.Raw, open []string) envelope.Raw {
	out = append(out, '[')
	begin := len(out)
	for _, id := range open {
		if len(out)-begin+len(id) > mostOpen {
			continue
		}
		if len(out) > begin {
			out = append(out, ',')
		}
		out = append(out, id...)
	}
	return append(out, ']')
}

// held has the service write to a client by way of a keeper.
func (s *service) held(m *askerHeld) {
	if a := s.pending.askers[m.peer.ID]; a != nil && !a.left {
		a.peer = m.peer
	}
}

// back has the service write to the new connection of a client.
func (s *service) back(m *askerBack) { s.held(&askerHeld{peer: m.peer}) }

// open returns the ids of the requests of a client that have no reply yet.
func (s *service) open(m *askerOpen) {
	var ids []string
	if a := s.pending.askers[m.id]; a != nil && !a.left {
		now := s.deps.Awake()
		for key, r := range a.requests {
			if key != (envelope.Key{}) && !r.answered() && r.envelope != nil && now.Before(r.deadline) {
				ids = append(ids, string(r.envelope.RequestID))
			}
		}
	}
	m.report(ids)
}
