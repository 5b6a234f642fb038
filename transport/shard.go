package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// shard is the actor that owns the write side of many connections. Its mailbox hands over all
// that waits at once; what a batch holds for a socket leaves in one write.
// On restart: its sockets and groups are kept, and what is left of the batch is handled. The message
// that crashed it is lost; those it was writing to are cut off, for their streams have a gap.
type shard struct {
	index   int
	egress  *Egress
	deps    *actors.Deps
	limits  *atomic.Pointer[Limits]
	pid     *actor.PID
	inbox   runtime.Inbox[order]
	start   time.Time
	now     atomic.Int64 // seconds since the start in which the process ran, whatever becomes of the machine's clock
	waiting atomic.Int64 // bytes that wait for slow readers
	queued  atomic.Int64 // the same, where a frame that several share counts once
	traffic traffic
	drains  *sync.WaitGroup
	sockets map[*socket]struct{}
	paces   map[*socket]*pace                              // of those for which something waits since the last tick
	acked   func(conn net.Conn) (bytes uint64, known bool) // acked, but in tests
	closed  bool                                           // the daemon stops, new sockets are closed at once
	frozen  *freeze                                        // nil: the shard works
	halting int                                            // writing goroutines that have not heard that it is frozen
	halt    atomic.Bool                                    // tells them
	kept    []order                                        // came while it was frozen

	// Of the batch being handled.
	dirty  []*socket
	nodes  []node             // nodes[0] is unused
	drops  []*actors.Recorded // of the node of the same index, if it may be dropped for a slow reader; shorter than nodes if none follows
	leases []*runtime.Lease
	rest   []order // not handled yet
	wrote  int     // bytes
	unsent int     // frames that were dropped, less those that tell of it

	copies map[*byte]*copies // of frames for several sockets, by their first byte, that wait since this batch
	grown  bool              // something waits that did not before
	writer writer
}

// node is a frame on its way to one socket, in a list that lasts for one batch.
type node struct {
	frame []byte
	next  int32
	owed  int32 // the place in leases of the one that it holds until it is written, plus 1; 0: none; common: it goes to others too
}

func newShard(index int, e *Egress, d *actors.Deps, limits *atomic.Pointer[Limits]) *shard {
	s := &shard{index: index, egress: e, deps: d, limits: limits, drains: &e.drains, start: d.Awake(),
		sockets: make(map[*socket]struct{}), paces: make(map[*socket]*pace), copies: make(map[*byte]*copies), nodes: make([]node, 1), writer: writer{call: writeNow}, acked: acked}
	return s
}

// post adds a rare message to what waits.
func (sh *shard) post(m toShard) { sh.inbox.Post(order{rare: m}) }

// Receive handles one batch.
func (sh *shard) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		sh.run(sh.rest)
	case *runtime.Inbox[order]:
		orders := m.Take()
		sh.run(orders)
		m.GiveBack(orders)
	case *actor.Stopping:
		sh.end()
	}
}

func (sh *shard) run(orders []order) {
	for sh.rest = orders; len(sh.rest) > 0; {
		o := &sh.rest[0]
		sh.rest = sh.rest[1:]
		sh.handle(o)
	}
	sh.rest = nil
	sh.flush()
}

func (sh *shard) handle(o *order) {
	switch {
	case sh.frozen != nil && !thaws(o.rare):
		sh.kept = append(sh.kept, *o)
	case o.rare != nil:
		sh.handleRare(o.rare)
	case o.group != nil:
		sh.cast(o)
	default:
		sh.deliver(o.socket, o.message)
	}
}

func (sh *shard) handleRare(message toShard) {
	switch m := message.(type) {
	case *greet:
		sh.put(m.s, m.m.Form, reserve, sh.takeFor(m.s, m.m))
	case *admit:
		sh.admit(m)
	case *enter:
		sh.enter(m.g, m.s)
	case *exit:
		sh.exit(m.g, m.s)
	case *attach:
		sh.attach(m.s)
	case *closeSocket:
		sh.closeFor(m.s, m.why)
	case *giveWay:
		sh.giveWay(m.s)
	case *readerDone:
		sh.readerDone(m.s)
	case *replace:
		sh.replace(m.s, m.with)
	case *written:
		sh.written(m)
	case *tick:
		sh.tick(m)
	case *closeAll:
		sh.closeAll()
	case *cutStuck:
		sh.cutStuck()
	case *abortAll:
		sh.abortAll()
	case *relieve:
		sh.relieved()
	case *unburden:
		sh.unburden()
	case *look:
		sh.look(m)
	case *census:
		sh.census(m.to)
	case *probe:
		if m.left.Add(-1) == 0 {
			m.done()
		}
	case *fence:
		sh.fence(m)
	case *freeze:
		sh.freeze(m)
	case *thaw:
		sh.thaw(m)
	case *release:
		sh.release()
	}
}

// take makes the batch a holder of the message's lease until it is flushed.
func (sh *shard) take(m actors.Message) {
	if m.Lease != nil {
		sh.leases = append(sh.leases, m.Lease)
	}
}

// takeFor is take of a message for s. It returns the place of a lease that the message holds until it is
// written, plus 1, or 0. Only messages that take their share of the window of s itself do.
func (sh *shard) takeFor(s *socket, m actors.Message) (owed int32) {
	if m.Lease == nil {
		return 0
	}
	sh.leases = append(sh.leases, m.Lease)
	if m.Lease.Of(s.Window()) {
		return int32(len(sh.leases))
	}
	return 0
}

func (sh *shard) attach(s *socket) {
	l := sh.limits.Load()
	sh.sockets[s] = struct{}{}
	if len(s.queue) > 0 {
		for _, frame := range s.queue {
			sh.count(s, 1, len(frame))
			sh.charge(s, int64(len(frame)))
		}
	}
	if l.PingInterval > 0 && s.nextPing == 0 {
		s.nextPing = sh.now.Load() + int64(l.PingInterval/time.Second)
	}
	if sh.closed {
		sh.close(s, s.codeOf(actors.GoingAway))
	}
}

func (sh *shard) cast(o *order) {
	sh.take(o.message)
	droppable := o.message.Recorded != nil && o.message.Recorded.Loss != actors.LoseNothing
	// From the end, because a socket that overflows leaves the list and the last one takes its place.
	list := o.group.members[sh.index]
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		if s == o.except {
			continue
		}
		switch {
		case s.admitted && droppable:
			sh.putDroppable(s, s.formOf(&o.message), o.message.Recorded, common)
		case s.admitted:
			sh.put(s, s.formOf(&o.message), 0, common)
		case s.heir != nil:
			s.heir.Send(o.message)
		default:
			sh.hold(s, s.formOf(&o.message), o.message.Recorded)
		}
	}
}

func (sh *shard) deliver(s *socket, m actors.Message) {
	owed := sh.takeFor(s, m)
	switch {
	case s.closing && s.heir != nil:
		s.heir.Send(m)
	case s.closing:
		sh.deps.Counters.Dead(actors.SocketClosed)
	case m.Refused != nil && s.waiting > 0 && (sh.over(s, len(m.Form), reserve) || sh.nearlyFull()):
		// Requests must not take a service down, or one client could do it for all.
		m.Refused.Refuse()
	case s.admitted:
		sh.put(s, s.formOf(&m), reserve, owed)
	default:
		sh.hold(s, s.formOf(&m), m.Recorded)
	}
}

// put adds a frame to what this batch writes to s. extra is the reserve it may use, owed what takeFor
// returned.
func (sh *shard) put(s *socket, frame []byte, extra int, owed int32) {
	if s.closing {
		return
	}
	if s.waiting > 0 && sh.over(s, len(frame), extra) {
		sh.overflow(s)
		return
	}
	sh.link(s, frame, owed)
}

func (sh *shard) link(s *socket, frame []byte, owed int32) {
	sh.chain(s, frame, owed)
	if s.waiting > 0 {
		// Behind a slow reader's queue it counts from now on.
		sh.count(s, 1, len(frame))
	}
}

// chain is link of a frame that counts only once it waits.
func (sh *shard) chain(s *socket, frame []byte, owed int32) {
	if answer := s.answer; answer != nil {
		s.answer = nil
		sh.link(s, answer, 0)
	}
	sh.nodes = append(sh.nodes, node{frame: frame, owed: owed})
	n := int32(len(sh.nodes) - 1)
	if s.head == 0 {
		s.head = n
		sh.dirty = append(sh.dirty, s)
	} else {
		sh.nodes[s.tail].next = n
	}
	s.tail = n
}

// reserve is the share of the bound, as a divisor, that answers and replies have on top of what
// broadcasts may use.
const reserve = 4

func (sh *shard) over(s *socket, n, extra int) bool {
	if s.withheld {
		return false // its peer cannot read what is not written
	}
	l := sh.limits.Load()
	messages, bytes := l.OutboundMessages, l.OutboundBytes
	if extra > 0 {
		messages += messages / extra
		bytes += bytes / int64(extra)
	}
	return s.waiting-s.free >= messages || s.bytes-s.freeBytes+int64(n) > bytes
}

// overflow ends a connection that reads too slowly. Its stream may be cut inside a frame, so there
// is no place for a close frame.
func (sh *shard) overflow(s *socket) {
	sh.deps.Counters.SlowConsumers.Add(1)
	s.cutOff(&refusals.Event{Cause: refusals.SlowReader, More: []any{"messages", s.waiting, "bytes", s.bytes}})
	sh.abort(s)
}

// Crashed gives back what the batch held so far.
func (sh *shard) Crashed() {
	for _, s := range sh.dirty {
		s.head, s.tail = 0, 0
		sh.abort(s)
	}
	sh.writer.forget()
	sh.reset()
}

// end closes what is open when the shard stops: nobody else can.
func (sh *shard) end() {
	for s := range sh.sockets {
		sh.abort(s)
		sh.detach(s)
	}
}

func (sh *shard) reset() {
	for _, l := range sh.leases {
		l.Release()
	}
	clear(sh.leases)
	clear(sh.dirty)
	clear(sh.nodes)
	clear(sh.drops)
	sh.leases, sh.dirty, sh.nodes, sh.drops = sh.leases[:0], sh.dirty[:0], sh.nodes[:1], sh.drops[:0]
	if len(sh.copies) > keptCopies {
		sh.copies = make(map[*byte]*copies)
		return
	}
	clear(sh.copies)
}

// keptCopies is up to which number of frames the map of copies is used again. A larger one goes back to the heap, because a
// map does not shrink and takes as long to clear as it is large.
const keptCopies = 1024
