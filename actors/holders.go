package actors

import (
	"container/list"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// probePatience is how long a connection may take to show that it is alive when somebody else shows its token.
// FusionPBX's operator panel waits 5 s for an answer.
const probePatience = 2 * time.Second

// holders knows which connection has which token, and lets a holder come back with a token that is used up
// when the connection is gone. It is on the way of authentications only, and of those only while
// Settings.Reclaim is not zero.
// On restart: its table is kept; it lacks what the message that crashed it said.
type holders struct {
	deps *Deps
	self runtime.Ref[toHolders]
	all  map[TokenKey]*holding
	gone *list.List // of *holding, those without a connection; the one that is forgotten first is in front
	last *actor.PID // who gets the list once all connections have ended; nil: nobody
}

// Hold starts the actor that lets holders come back, with those of whom the router knew before its last stop.
// It is called once, before the first connection; without it nobody comes back.
func (d *Deps) Hold(before []*Holding) {
	h := &holders{deps: d, all: make(map[TokenKey]*holding), gone: list.New()}
	h.restore(before)
	h.count()
	// Nothing is sent to the actor before this function returns.
	h.self = runtime.Spawn[toHolders](d.Runtime, "holders", func() actor.Actor { return h }, actor.WithGuardian(d.Permanent))
	d.holders = h.self
}

// Holdings returns the tokens that holders may come back with, and ends the actor. It is for when all
// connections end. It waits as long as patience for the last words of each, and takes those that say none for
// lost.
func (d *Deps) Holdings(patience time.Duration) []*Holding {
	if d.holders.Zero() {
		return nil
	}
	answer, err := d.System.Root.RequestFuture(d.holders.PID(), &listHoldings{patient: true}, patience).Result()
	if err != nil {
		answer, err = d.System.Root.RequestFuture(d.holders.PID(), &listHoldings{}, patience).Result()
	}
	d.System.Root.Stop(d.holders.PID())
	if err != nil {
		d.Log.Error("tokens cannot be kept for those who come back", "err", err)
		return nil
	}
	return answer.([]*Holding)
}

// holds reports whether tokens are kept for their holders.
func (d *Deps) holds() bool { return !d.holders.Zero() && d.settings().Reclaim > 0 }

// Receive handles one message.
func (h *holders) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *held:
		h.held(m)
	case *released:
		h.released(m)
	case *reclaim:
		h.reclaim(m)
	case *probed:
		h.probed(m)
	case *describeHolders:
		m.to(h.describe())
	case *restoreHolders:
		h.restore(m.gone)
	case *listHoldings:
		h.last = ctx.Sender()
		if !m.patient {
			ctx.Respond(h.list())
			h.last = nil
		}
	default:
		h.deps.Unknown(ctx)
	}
	h.forget()
	h.count()
	if h.last != nil && len(h.all) == h.gone.Len() {
		ctx.Send(h.last, h.list())
		h.last = nil
	}
}

func (h *holders) held(m *held) {
	e := h.all[m.key]
	if e == nil || !e.connection.Same(m.connection) {
		// A token that is new, or one that somebody has issued a second time.
		if e != nil {
			h.drop(e)
		}
		e = &holding{key: m.key, connection: m.connection}
		h.all[m.key] = e
	}
	e.address, e.claimBy, e.peer, e.known = m.address, m.claimBy, m.peer, m.credentials
}

func (h *holders) released(m *released) {
	e := h.all[m.key]
	if e == nil || !e.connection.Same(m.connection) {
		return
	}
	now := h.deps.Clock.Now()
	if m.over || e.over(now) {
		h.drop(e)
		return
	}
	e.known, e.peer, e.connection = e.credentials(), nil, Connection{}
	if asker := e.asker; asker != nil {
		h.grant(e, asker)
		return
	}
	e.until = now.Add(h.deps.settings().Reclaim)
	e.place = h.gone.PushBack(e)
}

func (h *holders) reclaim(m *reclaim) {
	now := h.deps.Clock.Now()
	e := h.all[m.key]
	switch {
	case e == nil || e.place != nil && !now.Before(e.until):
		refuse(m, m.err)
	case e.address != m.address:
		refuse(m, errOtherAddress)
	case e.over(now):
		refuse(m, errTokenOver)
	case e.connection.Zero():
		h.grant(e, m)
	case e.asker != nil || e.peer == nil:
		refuse(m, errTokenInUse)
	default:
		h.probe(e, m)
	}
}

// probe finds out whether the connection that has the token is alive. Where the network was away, the holder
// is back long before TCP gives the old connection up.
func (h *holders) probe(e *holding, m *reclaim) {
	p, ok := e.peer.Outlet.(Prober)
	if !ok {
		refuse(m, errTokenInUse)
		return
	}
	e.asker = m
	p.Probe()
	m.late = h.self.After(h.deps.Clock, probePatience, &probed{asker: m})
}

func (h *holders) probed(m *probed) {
	e := h.all[m.asker.key]
	if e == nil || e.asker != m.asker {
		return // it was answered when the connection ended
	}
	if e.peer.Outlet.(Prober).Silent() {
		e.connection.Send(&evicted{}) // and its last word lets the asker in
		return
	}
	e.asker = nil
	refuse(m.asker, errTokenInUse)
}

// grant gives the token to the connection that asked for it. That connection has the token until its actor says otherwise.
func (h *holders) grant(e *holding, m *reclaim) {
	if e.place != nil {
		h.gone.Remove(e.place)
	}
	e.place, e.asker, e.connection = nil, nil, m.connection
	m.decided()
	m.connection.Send(&tokenClaimed{key: m.key, address: m.address, connection: m.connection,
		credentials: e.known, envelope: m.envelope, again: true})
}

func refuse(m *reclaim, err error) {
	m.decided()
	m.connection.Send(&tokenClaimed{err: err, envelope: m.envelope, again: true})
}

// decided says that nobody waits any more to hear whether the connection is alive.
func (m *reclaim) decided() {
	if m.late != nil {
		m.late()
	}
}

// drop forgets a token.
func (h *holders) drop(e *holding) {
	if e.place != nil {
		h.gone.Remove(e.place)
	}
	if e.asker != nil {
		refuse(e.asker, e.asker.err)
	}
	delete(h.all, e.key)
}

// forget drops the tokens nobody has come back with in time, and the oldest of too many.
func (h *holders) forget() {
	now, limit := h.deps.Clock.Now(), h.deps.settings().ReclaimCount
	for first := h.gone.Front(); first != nil; first = h.gone.Front() {
		e := first.Value.(*holding)
		late := !now.Before(e.until)
		if !late && h.gone.Len() <= limit {
			return
		}
		if !late {
			h.deps.Counters.Forgotten.Add(1)
		}
		h.gone.Remove(first)
		delete(h.all, e.key)
	}
}

func (h *holders) count() { h.deps.Counters.Reclaimable.Store(int64(h.gone.Len())) }

// list returns what is left of all tokens when no connection is.
func (h *holders) list() []*Holding {
	now, reclaim := h.deps.Clock.Now(), h.deps.settings().Reclaim
	var kept []*Holding
	for e := h.gone.Front(); e != nil; e = e.Next() {
		gone := e.Value.(*holding)
		kept = append(kept, &Holding{gone.key, gone.address, gone.until, gone.credentials()})
	}
	for _, e := range h.all {
		if !e.connection.Zero() && reclaim > 0 && !e.over(now) {
			kept = append(kept, &Holding{e.key, e.address, now.Add(reclaim), e.credentials()})
		}
	}
	return kept
}
