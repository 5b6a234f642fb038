package actors

import (
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// history is the last broadcasts of one service. It belongs to the topic, which gives them their order.
type history struct {
	epoch string
	next  int64        // offset of the next broadcast
	kept  []replayable // the oldest first, without a hole up to next

	messages int // of kept
	bytes    int64
	bounds   policy.History

	counters *Counters
	limit    int64 // bytes of all histories, when the last broadcast was added
}

// HistoryCounters count what is kept of broadcasts. All but HistoryMessages and HistoryBytes count since the start.
type HistoryCounters struct {
	Recovered       atomic.Int64 // times that a client got what it had missed of a service
	NotRecovered    atomic.Int64 // times that it could not
	HistoryCut      atomic.Int64 // broadcasts dropped early because all histories together were too big
	HistoryMessages atomic.Int64 // broadcasts kept now
	HistoryBytes    atomic.Int64 // that they take
	histories       atomic.Int64 // services of which a broadcast is kept now
}

// replayable is a broadcast as all that asked for positions would get it if no policy removed anything.
type replayable struct {
	text   []byte // JSON
	at     time.Time
	class  string         // of the instance that spoke
	policy *filter.Filter // that the instance had in code
	open   bool           // not filtered
}

// keptBytes is what a kept broadcast takes besides its text.
const keptBytes = 128

func (k *replayable) size() int64 { return int64(len(k.text)) + keptBytes }

func newHistory(bounds policy.History, c *Counters) *history {
	return &history{epoch: newEpoch(), next: 1, bounds: bounds.Bounds(), counters: c}
}

// position returns that of the last broadcast.
func (h *history) position() Position { return Position{h.epoch, h.next - 1} }

// add keeps a broadcast, which has the offset h.next, and drops what there is no room for.
func (h *history) add(k replayable, limit int64) {
	h.next++
	h.kept = append(h.kept, k)
	h.count(1, k.size())
	h.limit = limit
	h.trim(k.at)
}

func (h *history) count(n int, bytes int64) {
	switch before := h.messages; {
	case before == 0 && n > 0:
		h.counters.histories.Add(1)
	case before > 0 && before+n == 0:
		h.counters.histories.Add(-1)
	}
	h.messages += n
	h.bytes += bytes
	h.counters.HistoryMessages.Add(int64(n))
	h.counters.HistoryBytes.Add(bytes)
}

// full reports whether all histories together are too big.
func (h *history) full() bool { return h.counters.HistoryBytes.Load() > h.limit }

// share is how many bytes the history may have whatever others have.
func (h *history) share() int64 { return h.limit / max(h.counters.histories.Load(), 1) }

// trim drops what is too old or too much.
func (h *history) trim(now time.Time) {
	drop := 0
	for ; drop < len(h.kept); drop++ {
		full := h.full() && h.bytes > h.share()
		if len(h.kept)-drop <= h.bounds.Messages && h.bytes <= int64(h.bounds.Bytes) && now.Sub(h.kept[drop].at) < h.bounds.Age && !full {
			break
		}
		if full {
			h.counters.HistoryCut.Add(1)
		}
		h.count(-1, -h.kept[drop].size())
		h.kept[drop] = replayable{}
	}
	h.kept = h.kept[drop:]
	if len(h.kept) == 0 {
		h.kept = nil
	}
}

// until returns when the oldest broadcast is to be dropped. There must be one.
func (h *history) until() time.Time { return h.kept[0].at.Add(h.bounds.Age) }

// since returns what came after p. It returns false if some of that is not kept, or p is of another history.
func (h *history) since(p Position, now time.Time) ([]replayable, bool) {
	h.trim(now)
	missed := h.next - 1 - p.Offset
	if p.Epoch != h.epoch || p.Offset < 0 || missed < 0 || missed > int64(len(h.kept)) {
		return nil, false
	}
	return h.kept[len(h.kept)-int(missed):], true
}

// offset returns that of the kept broadcast i from the end, of n.
func (h *history) offset(i, n int) int64 { return h.next - int64(n) + int64(i) }

// drop forgets everything.
func (h *history) drop() {
	h.count(-len(h.kept), -h.bytes)
	h.kept = nil
}

// Recovery is what a client that asked for positions hears of one service.
type Recovery struct {
	Service string
	// Position is where the broadcasts begin that the client gets from now on; nowhere if the service has no history.
	Position Position
	// Asked says that the client said where it was, and Recovered that it misses nothing since then.
	Asked, Recovered bool
}

// arrival has a topic tell a new member where it is.
type arrival struct {
	asked  bool
	since  Position // nowhere: the member does not know
	report func(Recovery)
}

// arrive sends a member what it has missed, before anything newer.
func (t *topic) arrive(p *Peer, a *arrival, kept *keeper) {
	r := Recovery{Service: t.name, Asked: a.asked}
	t.refresh()
	if t.history == nil {
		// The service may not be there yet. Whoever waits for it must not miss its first words.
		t.keep(t.deps.settings().Policies.Of(&Peer{Identity: Identity{Name: t.name, Class: policy.BuiltinClass(t.name)}}).Filter)
	}
	if t.history != nil {
		r.Position = t.history.position()
		missed, ok := t.history.since(a.since, t.deps.Clock.Now())
		if r.Recovered = ok && a.asked; r.Recovered {
			r.Position = a.since
			t.replay(p, missed, kept)
		}
	}
	switch {
	case r.Recovered:
		t.deps.Counters.Recovered.Add(1)
	case r.Asked:
		t.deps.Counters.NotRecovered.Add(1)
	}
	a.report(r)
}

// replay sends p of what was kept all that it may see now, and between that the replies to p that came there.
func (t *topic) replay(p *Peer, missed []replayable, kept *keeper) {
	var f *filter.Filter
	var class filter.Class
	by := p.narrowing(t.name)
	for i := range missed {
		k := &missed[i]
		kept.before(t.history.offset(i, len(missed)), p.Outlet)
		if i == 0 || k.class != missed[i-1].class || k.policy != missed[i-1].policy {
			f = t.deps.settings().Policies.Of(&Peer{Identity: Identity{Name: t.name, Class: k.class, Policy: k.policy}}).Filter
			class = f.Class(p.subject())
		}
		e, err := envelope.Decode(k.text, envelope.MaxDepth)
		if err != nil {
			t.deps.Log.Error("kept broadcast cannot be read", "service", t.name, "err", err)
			continue
		}
		if !k.open {
			topic, _ := envelope.View(e.Topic)
			out, verdict := f.Apply(class, topic, e.Payload, nil)
			if verdict == filter.Drop || by != nil && !by.Passes(topic, out) {
				continue
			}
			e.Payload = out
		}
		at := Position{t.history.epoch, t.history.offset(i, len(missed))}
		m := t.deps.Egress.Encode(&e.Envelope, at.keys())
		m.Recorded = &Recorded{Service: t.name, Position: at, Replayed: true}
		p.Outlet.Send(m)
	}
}

// keep begins a history, or changes its bounds, where a policy asks for one.
func (t *topic) keep(f *filter.Filter) {
	bounds := f.History()
	switch {
	case !bounds.Kept():
	case t.history == nil:
		t.history = newHistory(bounds, t.deps.Counters)
		t.deps.keeps.Store(true)
	default:
		t.history.bounds = bounds.Bounds()
	}
}

// record keeps a broadcast. It returns the form that those get who asked for positions; nil without a history.
// Droppable is not nil if it may be dropped for slow readers.
func (t *topic) record(m *broadcast, droppable *Recorded) *Message {
	h := t.history
	if h == nil {
		return nil
	}
	at := Position{h.epoch, h.next}
	whole := t.deps.Egress.Encode(m.envelope, at.keys())
	whole.Recorded = &Recorded{Service: t.name, Position: at}
	if droppable != nil {
		whole.Recorded.Loss, whole.Recorded.Key = droppable.Loss, droppable.Key
	}
	t.progress.recorded.Store(at.Offset)
	h.add(replayable{text: whole.Text(), at: t.deps.Clock.Now(), class: m.from.Class, policy: m.from.Policy, open: m.open}, t.deps.historyBytes())
	if h.full() {
		// Others have more than their share.
		for route := range t.deps.Registry.All() {
			if route != nil && !route.Topic.Same(t.self) {
				route.Topic.Send(&crowded{limit: h.limit})
			}
		}
	}
	t.age()
	return &whole
}

// crowded says that all histories together are too big.
type crowded struct {
	unmissed
	limit int64
}

func (*crowded) toTopic() {}

// crowded has a topic drop what its history has over its share.
func (t *topic) crowded(m *crowded) {
	if t.history == nil {
		return
	}
	t.history.limit = m.limit
	t.history.trim(t.deps.Clock.Now())
	if len(t.history.kept) == 0 {
		t.emptied()
	}
}

// age has the topic look again when the oldest broadcast is too old.
func (t *topic) age() {
	if t.aging == nil && len(t.history.kept) > 0 {
		t.aging = t.self.After(t.deps.Clock, t.history.until().Sub(t.deps.Clock.Now()), &grownOld{})
	}
}

// grownOld drops what is too old. A name that nobody offers or watches ends when nothing is left.
func (t *topic) grownOld() {
	t.aging = nil
	if t.history == nil {
		return
	}
	t.history.trim(t.deps.Clock.Now())
	t.age()
	if len(t.history.kept) == 0 {
		t.emptied()
	}
}

// emptied tells the router, if it waits, that nothing is kept any more.
func (t *topic) emptied() {
	if t.asker != nil {
		t.asker.router.Send(&emptied{route: t.asker.route})
		t.asker = nil
	}
}

// forgo drops the history when the policies do not ask for one any more. A service that is away keeps its history.
func (t *topic) forgo() {
	if t.history == nil || len(t.speakers) == 0 {
		return
	}
	for _, v := range t.speakers {
		if v.filter.History().Kept() {
			return
		}
	}
	t.forget()
}

// forget drops the history. The next one has another epoch.
func (t *topic) forget() {
	if t.history != nil {
		t.history.drop()
		t.history = nil
	}
	if t.aging != nil {
		t.aging()
		t.aging = nil
	}
	t.emptied()
}

// historyBytes returns how many bytes all histories may take together.
func (d *Deps) historyBytes() int64 {
	if n := d.settings().HistoryBytes; n > 0 {
		return n
	}
	return 64 << 20
}
