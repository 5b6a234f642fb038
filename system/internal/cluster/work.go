package cluster

import (
	"fmt"
	"runtime/debug"

	"strowger/actors"
)

// remote is what this package needs of an *actors.Remote.
type remote interface {
	Offered(o actors.Offered) error
	Withdrawn(name, id string)
	Watched(name string)
	Unwatched(name string)
	Known()
	Receive(p *actors.Parcel) error
	Gone()
}

var _ remote = (*actors.Remote)(nil)

// worker hands what one node says to the actors. It belongs to one goroutine, so a node whose messages take long to
// handle does not delay the others.
type worker struct {
	links   *Links
	member  *member
	session *session // nil between two sessions
	remote  remote   // of the session
	broken  bool     // a call for the session has panicked
	names   names
}

// work runs until the node is gone and the actors know it. It waits for an earlier worker of the same node.
func (l *Links) work(m *member, before <-chan struct{}, done chan struct{}) {
	defer l.worked(m, done)
	if before != nil {
		<-before
	}
	w := &worker{links: l, member: m}
	var taken load
	for ok := true; ok; {
		if taken, ok = m.inbox.take(taken); ok {
			w.handle(taken)
		}
	}
}

func (l *Links) worked(m *member, done chan struct{}) {
	l.mu.Lock()
	if l.ending[m.id] == done {
		delete(l.ending, m.id)
	}
	l.unlock()
	close(done)
}

func (w *worker) handle(taken load) {
	data := taken.data
	for i := range taken.steps {
		step := &taken.steps[i]
		w.guarded(step, data[:step.length])
		data = data[step.length:]
	}
}

// guarded does a step. If the step panics, the link begins anew.
func (w *worker) guarded(s *step, body []byte) {
	defer func() {
		if reason := recover(); reason != nil {
			w.panicked(s.session, reason, debug.Stack())
		}
	}()
	w.step(s, body)
}

func (w *worker) step(s *step, body []byte) {
	switch s.do {
	case stepOpen:
		w.session, w.remote, w.broken = s.session, w.links.newRemote(s.session), false
	case stepItems:
		if s.session == w.session && !w.broken {
			w.items(body, s.count)
		}
	case stepClose:
		if s.session == w.session {
			remote := w.remote
			w.session, w.remote = nil, nil
			remote.Gone()
		}
	}
}

func (w *worker) panicked(s *session, reason any, stack []byte) {
	w.broken = true
	l := w.links
	l.mu.Lock()
	defer l.unlock()
	l.counts.Panics++
	attributes := w.member.who("reason", fmt.Sprint(reason), "stack", string(stack))
	l.later(func() { l.o.Log.Error("a message of another node made the router panic", attributes...) })
	if w.member.session == s {
		l.missed(w.member, "a message of the node made the router panic")
	}
}

// errFewer is the fault of a message that says that it has more items.
var errFewer = fmt.Errorf("%w: there are fewer items than it says", errItem)

// items handles the items of one message.
func (w *worker) items(body []byte, count int) {
	var parcels, faults uint64
	var last error
	for range count {
		data, rest, ok := nextItem(body)
		if !ok {
			faults, last = faults+1, errFewer
			break
		}
		body = rest
		i, err := decodeItem(data, &w.names)
		if err == nil {
			err = w.item(&i)
		}
		if err != nil {
			faults, last = faults+1, err
		}
		if i.parcel != nil {
			parcels++
		}
	}
	l := w.links
	l.mu.Lock()
	defer l.unlock()
	l.counts.ParcelsReceived += parcels
	w.member.stats.parcelsReceived += parcels
	if faults > 0 {
		l.faulty(w.member, faults, last)
	}
}

// faulty counts what was dropped because it is not as it should be, and logs why.
func (l *Links) faulty(m *member, faults uint64, err error) {
	l.counts.Malformed += faults
	m.stats.malformed += faults
	l.warnOf(m, "a message of another node is dropped", "err", err)
}

// item hands one item to the actors.
func (w *worker) item(i *item) error {
	switch i.kind {
	case itemOffered:
		return w.offered(i)
	case itemWithdrawn:
		w.change(func(t *table) { t.withdraw(i.name, i.id) })
		w.remote.Withdrawn(i.name, i.id)
	case itemWatched:
		return w.watched(i)
	case itemUnwatched:
		w.change(func(t *table) { t.unwatch(i.name) })
		w.remote.Unwatched(i.name)
	case itemAck:
		l := w.links
		l.mu.Lock()
		l.acks.heard(l, i.number, w.session)
		l.unlock()
	case itemRedeemed:
		if f := w.links.o.Redeemed; f != nil {
			f(i.redeemed)
		}
	case itemKnown:
		w.remote.Known()
		w.change(func(*table) { w.session.known = true })
	default:
		return w.remote.Receive(i.parcel)
	}
	return nil
}

func (w *worker) offered(i *item) error {
	defer w.ack(i.number)              // whatever comes of it, because somebody waits for it
	offers := w.session.offers.offered // written by this goroutine only
	if _, ok := offers[instanceKey{i.name, i.id}]; !ok && len(offers) >= w.links.o.Offered {
		return fmt.Errorf("the node offers more than %d instances (cluster.offered)", w.links.o.Offered)
	}
	if err := w.remote.Offered(i.offered); err != nil {
		return fmt.Errorf("an instance of %s: %w", i.name, err)
	}
	w.change(func(t *table) { t.offer(i.offered) })
	return nil
}

func (w *worker) watched(i *item) error {
	defer w.ack(i.number)
	if watches := w.session.offers.watched; !watches[i.name] && len(watches) >= w.links.o.Watched {
		return fmt.Errorf("the node watches more than %d names (cluster.watched)", w.links.o.Watched)
	}
	w.remote.Watched(i.name)
	w.change(func(t *table) { t.watch(i.name) })
	return nil
}

// change changes what the node is known to offer and watch.
func (w *worker) change(f func(t *table)) {
	l := w.links
	l.mu.Lock()
	defer l.unlock()
	f(&w.session.offers)
	l.touch()
}

// ack tells the node that its news have been heard.
func (w *worker) ack(number uint64) {
	if number == 0 {
		return
	}
	l := w.links
	l.mu.Lock()
	defer l.unlock()
	if w.member.session == w.session {
		l.postItem(w.session, appendNumber(nil, itemAck, number))
	}
}
