package panel

import (
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// patience is how long a push waits for what the switch or the database has to add to it, and holds up those after it.
const patience = 250 * time.Millisecond

// outbox keeps pushes in the order of the events, although some wait for the switch or the database. However many wait,
// it has one timer, for the first of them: a service may have only so many timers.
type outbox struct {
	say      func(topic string, status int, payload any)
	plain    func(topic string, payload any)
	here     func(topic string, payload any)
	after    func(d time.Duration, f func(service.Context)) service.Timer
	now      func() time.Time
	waiting  []*push
	flushing bool
	timer    service.Timer // for the first push; nil: not set
	due      time.Time     // when timer ends
}

// push is one push. Its payload is made when its turn comes, because it may depend on the pushes before it.
type push struct {
	topic  string
	status int                 // 0: none
	here   bool                // for the pages of this node
	make   func() envelope.Raw // nil: there is nothing to say
	said   func()              // called after it was said; nil: nothing
	turn   func()              // called in its turn in place of all else; nil: it is a push
	ready  bool
	due    time.Time // when it waits no longer
}

// push says something in its turn.
func (l *life) push(topic string, payload envelope.Raw) {
	l.enqueue(&push{topic: topic, ready: true, make: func() envelope.Raw { return payload }})
}

// enqueue puts a push after all others.
func (l *life) enqueue(p *push) {
	p.due = l.out.now().Add(patience)
	l.out.waiting = append(l.out.waiting, p)
	l.out.flush()
}

// inTurn calls f when all that waits has been said.
func (l *life) inTurn(f func()) { l.enqueue(&push{ready: true, turn: f}) }

// insert puts pushes before all others. It is called in the turn of a push.
func (l *life) insert(pushes []*push) {
	due := l.out.now().Add(patience)
	for _, p := range pushes {
		p.due = due
	}
	l.out.waiting = append(pushes, l.out.waiting...)
}

// release notes that a push need not wait any more.
func (l *life) release(p *push) {
	if p.ready {
		return
	}
	p.ready = true
	l.out.flush()
}

// flush says all pushes up to the first that waits, and sets the timer for that one. What a push does in its turn may
// call it again.
func (o *outbox) flush() {
	if o.flushing {
		return
	}
	o.flushing = true
	for len(o.waiting) > 0 && (o.waiting[0].ready || !o.now().Before(o.waiting[0].due)) {
		p := o.waiting[0]
		p.ready = true
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
		if p.turn != nil {
			p.turn()
			continue
		}
		o.tell(p)
	}
	o.flushing = false
	o.arm()
}

// arm sets the timer for the first push, unless it is set and ends no later. If it ends earlier, flush sets it again.
func (o *outbox) arm() {
	if len(o.waiting) == 0 || o.timer != nil && !o.waiting[0].due.Before(o.due) {
		return
	}
	if o.timer != nil {
		o.timer.Stop()
	}
	o.due = o.waiting[0].due
	o.timer = o.after(o.due.Sub(o.now()), func(service.Context) {
		o.timer = nil
		o.flush()
	})
}

func (o *outbox) tell(p *push) {
	payload := p.make()
	switch {
	case payload == nil:
		return
	case p.here:
		o.here(p.topic, payload)
	case p.status == 0:
		o.plain(p.topic, payload)
	default:
		o.say(p.topic, p.status, payload)
	}
	if p.said != nil {
		p.said()
	}
}
