package conferences

import (
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/service"
)

// outbox keeps pushes in the order of the events, although some wait for the switch or the database.
type outbox struct {
	waiting  []*push
	flushing bool
	hurried  int           // pushes that did not wait to the end, since the last line in the log
	timer    service.Timer // for the end of the wait of the first push; nil: it waits for nothing
	due      time.Time     // of timer
}

// push is one push.
type push struct {
	topic   string
	payload event.Payload
	name    conference.Name
	change  *conference.Change // what the comparison has found; nil: an event
	turn    func()             // called in its turn, in place of a push; nil: it is a push

	waits   int                    // for so many answers
	until   time.Time              // it waits no longer than that
	list    *conference.Conference // in the switch's list; nil: unknown
	missing bool                   // the switch says that there is no such conference
	count   int                    // of members
	display string
}

// enqueue puts a push after all others. It may wait for Options.PushWait.
func (l *life) enqueue(at *push) {
	at.until = l.ctx.Now().Add(l.PushWait)
	l.out.waiting = append(l.out.waiting, at)
	if oldest := l.out.waiting[0]; len(l.out.waiting) > l.PushQueue && oldest.waits > 0 {
		l.hurry(oldest)
	}
	l.flush()
}

// insert puts pushes before all others. It is called in the turn of a push.
func (l *life) insert(pushes []*push) {
	until := l.ctx.Now().Add(l.PushWait)
	for _, at := range pushes {
		at.until = until
	}
	l.out.waiting = append(pushes, l.out.waiting...)
}

// hurry lets a push wait no longer. It goes out with what the event has.
func (l *life) hurry(at *push) {
	at.waits = 0
	l.out.hurried++
	l.Hurried.Add(1)
}

// report logs how many pushes did not wait to the end.
func (l *life) report() {
	if l.out.hurried == 0 {
		return
	}
	l.ctx.Log().Warn("conferences were shown without what the switch or the database has of them: it did not answer in time",
		"pushes", l.out.hurried, "setting", "conferences.push_wait", "push_wait", l.PushWait, "push_queue", l.PushQueue)
	l.out.hurried = 0
}

// arrived notes that one of the answers is there that a push waits for.
func (l *life) arrived(at *push) {
	if at.waits > 0 {
		at.waits--
		l.flush()
	}
}

// flush sends the pushes whose turn it is.
func (l *life) flush() {
	if l.out.flushing {
		return
	}
	l.out.flushing = true
	for len(l.out.waiting) > 0 {
		at := l.out.waiting[0]
		if at.waits > 0 && l.ctx.Now().Before(at.until) {
			break
		}
		if at.waits > 0 {
			l.hurry(at)
		}
		l.out.waiting[0] = nil
		l.out.waiting = l.out.waiting[1:]
		if at.turn != nil {
			at.turn()
			continue
		}
		l.say(at)
	}
	l.out.flushing = false
	l.wake()
}

// wake sets the timer for the first push. However many wait, there is one timer, because a service has a limited number.
func (l *life) wake() {
	out := &l.out
	if out.timer != nil && (len(out.waiting) == 0 || !out.waiting[0].until.Equal(out.due)) {
		out.timer.Stop()
		out.timer = nil
	}
	if out.timer != nil || len(out.waiting) == 0 {
		return
	}
	out.due = out.waiting[0].until
	out.timer = l.ctx.After(out.due.Sub(l.ctx.Now()), func(service.Context) {
		out.timer = nil
		l.flush()
	})
}

// wantName makes a push wait for the name that pages show, unless that is known.
func (l *life) wantName(at *push) {
	at.waits++
	at.display = at.name.Key
	l.display(at.name, func(name string) {
		at.display = name
		l.arrived(at)
	})
}

// again is how long after an answer the switch is asked once more for a member who is not in its list yet.
const again = 100 * time.Millisecond

// wantList makes a push wait for its conference in the switch's list. A conference whose name is not one of
// FusionPBX's is not asked for.
func (l *life) wantList(at *push) {
	command, err := listOf(at.name)
	if err != nil {
		return
	}
	at.waits++
	l.ask(command, func(list []conference.Conference, err error) {
		if at.listed(list, err) {
			l.arrived(at)
			return
		}
		l.later.Add(again, func() {
			l.ask(command, func(list []conference.Conference, err error) {
				at.listed(list, err)
				l.arrived(at)
			})
		})
	})
}

// listed notes what the switch has answered. It reports whether that will do: it will not if the member who has come is
// not in the list.
func (at *push) listed(list []conference.Conference, err error) bool {
	at.missing = isMissing(err)
	if err == nil && len(list) > 0 {
		at.list = &list[0]
	}
	switch {
	case err != nil:
		return !at.missing
	case at.topic != conference.Add || at.list == nil:
		return true
	}
	_, ok := at.list.Member(at.payload.Get("member_id"))
	return ok
}
