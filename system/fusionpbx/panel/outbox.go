package panel

import (
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// patience is how long a push waits for what the switch or the database has to add to it, and holds up those after it.
const patience = 250 * time.Millisecond

// outbox keeps pushes in the order of the events, although some wait for the switch or the database.
type outbox struct {
	say      func(topic string, status int, payload any)
	plain    func(topic string, payload any)
	waiting  []*push
	flushing bool
}

// push is one push. Its payload is made when its turn comes, because it may depend on the pushes before it.
type push struct {
	topic  string
	status int                 // 0: none
	make   func() envelope.Raw // nil: there is nothing to say
	said   func()              // called after it was said; nil: nothing
	turn   func()              // called in its turn in place of all else; nil: it is a push
	ready  bool
}

// push says something in its turn.
func (l *life) push(topic string, payload envelope.Raw) {
	l.enqueue(&push{topic: topic, ready: true, make: func() envelope.Raw { return payload }})
}

// enqueue puts a push after all others.
func (l *life) enqueue(p *push) {
	l.out.waiting = append(l.out.waiting, p)
	l.await(p)
	l.out.flush()
}

// insert puts pushes before all others. It is called in the turn of a push.
func (l *life) insert(pushes []*push) {
	for _, p := range pushes {
		l.await(p)
	}
	l.out.waiting = append(pushes, l.out.waiting...)
}

// await lets a push wait for what is to be added to it, but not for ever.
func (l *life) await(p *push) {
	if !p.ready {
		l.ctx.After(patience, func(service.Context) { l.release(p) })
	}
}

// release notes that a push need not wait any more.
func (l *life) release(p *push) {
	if p.ready {
		return
	}
	p.ready = true
	l.out.flush()
}

// flush says all pushes up to the first that waits. What a push does in its turn may call it again.
func (o *outbox) flush() {
	if o.flushing {
		return
	}
	o.flushing = true
	for len(o.waiting) > 0 && o.waiting[0].ready {
		p := o.waiting[0]
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
		if p.turn != nil {
			p.turn()
			continue
		}
		o.tell(p)
	}
	o.flushing = false
}

func (o *outbox) tell(p *push) {
	payload := p.make()
	switch {
	case payload == nil:
		return
	case p.status == 0:
		o.plain(p.topic, payload)
	default:
		o.say(p.topic, p.status, payload)
	}
	if p.said != nil {
		p.said()
	}
}
