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
	say     func(topic string, status int, payload any)
	plain   func(topic string, payload any)
	waiting []*push
}

// push is one push. Its payload is made when its turn comes, because it may depend on the pushes before it.
type push struct {
	topic  string
	status int // 0: none
	make   func() envelope.Raw
	said   func() // called after it was said; nil: nothing
	ready  bool
}

// push says something in its turn.
func (l *life) push(topic string, payload envelope.Raw) {
	l.enqueue(&push{topic: topic, ready: true, make: func() envelope.Raw { return payload }})
}

func (l *life) enqueue(p *push) {
	l.out.waiting = append(l.out.waiting, p)
	if p.ready {
		l.out.flush()
		return
	}
	l.ctx.After(patience, func(service.Context) { l.release(p) })
}

// release notes that a push need not wait any more.
func (l *life) release(p *push) {
	if p.ready {
		return
	}
	p.ready = true
	l.out.flush()
}

func (o *outbox) flush() {
	for len(o.waiting) > 0 && o.waiting[0].ready {
		p := o.waiting[0]
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
		if p.status == 0 {
			o.plain(p.topic, p.make())
		} else {
			o.say(p.topic, p.status, p.make())
		}
		if p.said != nil {
			p.said()
		}
	}
}
