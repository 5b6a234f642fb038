package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// Messages a topic takes.
type (
	join struct {
		unmissed
		peer    *Peer
		done    func()   // called when it is a member; nil: nobody waits
		arrival *arrival // nil: the peer has not asked for positions
		kept    *keeper  // what the service has said to the peer meanwhile; nil: nothing
	}
	leave struct {
		unmissed
		peer *Peer
	}
	// speak announces an instance of the service; hush says that it has left.
	speak struct {
		unmissed
		peer *Peer
	}
	hush struct {
		peer *Peer
		// whole says that all that it has said has come.
		whole bool
	}
	// broadcast goes to all members but the one who sent it.
	broadcast struct {
		runtime.Held
		envelope *envelope.Envelope
		from     *Peer
		open     bool // not filtered
		here     bool // for members on this node
		timed    bool // Counters.Delivery measures it
	}
	// reply goes to the one who asked, a member or not.
	reply struct {
		runtime.Held
		envelope *envelope.Envelope
		from     *Peer
		to       *Peer
	}
)

func (*join) toTopic()      {}
func (*leave) toTopic()     {}
func (*speak) toTopic()     {}
func (*hush) toTopic()      {}
func (*broadcast) toTopic() {}
func (*reply) toTopic()     {}

// lost tells other nodes of it nevertheless.
func (m *hush) lost(d *Deps, _ runtime.Loss) { d.withdrawn(m.peer) }

func (m *broadcast) routed() *envelope.Envelope { return m.envelope }
func (m *reply) routed() *envelope.Envelope     { return m.envelope }

// topic is the stream of what one service says: broadcasts to its members and replies to those
// who asked, unless nothing is on its way here. So a subscriber sees them in the order in which the
// service wrote them. Broadcasts are filtered here, replies before they come here.
// On restart: members, views, speakers, the history and who watches are kept.
type topic struct {
	name     string
	self     runtime.Ref[toTopic]
	progress *progress
	deps     *Deps
	members  map[*Peer]struct{}
	policies *Policies // as of which the views are
	views    map[*filter.Filter]*view
	speakers map[*Peer]*view
	scratch  []byte // for filtered payloads
	casts    int64  // broadcasts so far
	nodes    []Node // that watch the service
	wills    bool   // an instance has had a will

	history *history    // nil: no policy asks for one
	aging   func() bool // stops the timer for the oldest broadcast; nil: none is set
	asker   *mayRest    // who waits until nothing is kept; nil: nobody

	presence *presence // nil: nobody is told who watches
	deaf     bool      // the other nodes tell nothing any more, because the last member has left
	last     Identity  // of the instance whose policy decides about that while there is none
}

func makeTopic(d *Deps, name string, progress *progress) *topic {
	return &topic{name: name, progress: progress, deps: d, members: make(map[*Peer]struct{}), views: make(map[*filter.Filter]*view), speakers: make(map[*Peer]*view)}
}

func spawnTopic(d *Deps, name string, progress *progress) runtime.Ref[toTopic] {
	t := makeTopic(d, name, progress)
	// Nothing is sent to the topic before this function returns.
	t.self = runtime.Spawn[toTopic](d.Runtime, "topic", func() actor.Actor { return t }, actor.WithGuardian(d.Permanent))
	return t.self
}

// Receive handles one message.
func (t *topic) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *broadcast:
		t.broadcast(m)
	case *reply:
		t.reply(m)
	case *join:
		t.join(m)
	case *leave:
		t.leave(m.peer)
	case *speak:
		t.speak(m.peer)
	case *hush:
		t.hush(m)
	case *ListMembers:
		t.list(ctx)
	case *Explain:
		t.explain(ctx, m)
	case *describeTopic:
		t.describe(m)
	case *watch:
		t.watch(m)
	case *unwatch:
		t.unwatch(m.node)
	case *missing:
		t.missed()
	case *will:
		t.will(m)
	case *passing:
		m.passed()
	case *mayRest:
		t.mayRest(m)
	case *crowded:
		t.crowded(m)
	case *grownOld:
		t.grownOld()
	case *ask:
		t.answerWho(m)
	case *presenceDue:
		t.tellPresence()
	case *presentThere:
		t.presentThere(m)
	case *settingsChanged:
		t.settingsChanged()
	case *deafened:
		t.deafened()
	case *actor.Stopping:
		t.forget()
		t.unwatched()
	default:
		t.deps.Unknown(ctx)
	}
}

// keptScratch is how much of the memory for filtered payloads is kept between two broadcasts.
const keptScratch = 64 << 10

func (t *topic) broadcast(m *broadcast) {
	defer t.progress.passed.Add(1)
	t.deps.Counters.Broadcasts.Add(1)
	t.casts++
	if len(t.nodes) > 0 && m.from.node == nil && !m.here {
		defer t.forward(m)
	}
	if m.open {
		t.announce(m)
		t.sent(m, true)
		return
	}
	t.refresh()
	v := t.speakers[m.from]
	if v == nil {
		// It has left meanwhile; what it said before goes by the policy it has now.
		v = t.view(t.deps.policy(m.from))
	}
	var reached bool
	t.keep(v.filter)
	droppable := t.droppable(v.filter, m.envelope.Payload)
	if t.scratch, reached = v.cast(t.deps.Egress, m, t.record(m, droppable), droppable, t.scratch, t.deps.Counters); cap(t.scratch) > keptScratch {
		t.scratch = nil
	}
	t.sent(m, reached)
	if !reached {
		t.unheard(v, m)
	}
}

// sent has the time measured until the last egress shard has written or queued the broadcast.
func (t *topic) sent(m *broadcast, reached bool) {
	delivery := t.deps.Counters.Delivery
	lease := m.Lease()
	switch {
	case !m.timed:
	case reached && lease != nil:
		m.timed = false
		lease.Then(delivery.Finish())
	default:
		m.timed = false
		delivery.Drop()
	}
}

// unheard logs that a broadcast reached nobody because it lacks the key that its policy goes by: as a rule one of the
// two is wrong. What FusionPBX's own services say is known, and is kept from some on purpose.
func (t *topic) unheard(v *view, m *broadcast) {
	if m.from.inside || policy.BuiltinClass(m.from.Name) != "" {
		return
	}
	topic, _ := envelope.Text(m.envelope.Topic)
	rule := v.lacking(topic, m.envelope.Payload, t.deps.Clock.Now())
	if rule == "" {
		return
	}
	t.deps.refusals.Add(refusals.Event{
		Cause: refusals.BroadcastUnheard, Role: Service.String(), Kind: m.from.Name + " " + m.from.Class,
		More: []any{"service", m.from.Name, "class", m.from.Class, "subscriber", m.from.ID, "remote", m.from.Remote.String(), "topic", topic, "rule", rule},
	})
}

// announce goes to every member by itself: it is rare, and the audiences leave out who gets nothing.
func (t *topic) announce(m *broadcast) {
	message := t.deps.encode(m.envelope, m.Lease())
	recorded := message
	if whole := t.record(m, nil); whole != nil {
		recorded = *whole
		recorded.Lease = m.Lease()
	}
	for p := range t.members {
		if p.recorded() {
			p.Outlet.Send(recorded)
			continue
		}
		p.Outlet.Send(message)
	}
}

func (t *topic) reply(m *reply) {
	defer t.progress.passed.Add(1)
	t.deps.reply(m.from, m.to, m.envelope, m.Lease())
}
