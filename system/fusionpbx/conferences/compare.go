package conferences

import (
	"errors"
	"slices"
	"strings"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
)

// confirm is how long a difference must last to be no matter of events that are on their way.
const confirm = 500 * time.Millisecond

// watch compares what pages know with the switch.
type watch struct {
	down    bool // no events come: there is no connection for them, or none yet
	current bool // it was compared with the switch, and no event was missed since
	tell    bool // pages may know something: they are told of differences
	all     bool // pages may know anything: they are told of all conferences
	running bool
	due     bool
	doubts  bool // a comparison comes soon
	certain bool // events were missed, so a difference need not be confirmed
	pause   timing.Pause
	again   service.Timer // runs the comparison again after a failure; nil: it has not failed
	refused timing.Refusals
}

// gap notes that events were missed, and compares. A comparison that has failed is made again at once.
func (l *life) gap() {
	w := &l.watch
	if w.down && w.refused.Cancel() { // they were refused because there was no connection, not for too much work
		w.all = true
	}
	w.down, w.current = false, false
	w.pause.Reset()
	if w.again != nil {
		w.again.Stop()
		w.again, w.running = nil, false
	}
	l.compare(true)
}

// refuse notes that a page was refused the list of conferences. It does not know those that go on, so after a pause pages are
// told of all. The pause grows if pages are refused again and again: an overload must not make more work.
func (l *life) refuse() {
	if !l.watch.all {
		l.watch.refused.Add(l.ctx)
	}
}

// tellAll tells pages of all conferences.
func (l *life) tellAll() {
	l.watch.all = true
	l.compare(false)
}

// bequeath has other nodes take a conference from their pages when they lose this one. It is called before pages are told
// of the conference.
func (l *life) bequeath(at *push) {
	full := at.payload.Get("conference_name")
	if _, ok := conference.Parse(full); l.Node == "" || !ok || at.topic != conference.Create && at.topic != conference.Add || l.willed[full] {
		return
	}
	l.willed[strings.Clone(full)] = true
	end := conference.End(full)
	l.ctx.Will(full, conference.Destroy, end.JSON())
}

// release is called after pages were told of an event of a conference.
func (l *life) release(at *push) {
	full := at.payload.Get("conference_name")
	if name, _ := conference.Parse(full); l.willed[full] && !l.known.HasRoom(name) {
		delete(l.willed, full)
		l.ctx.Will(full, conference.Destroy, nil)
	}
}

// recovered notes that the switch has given its list of all conferences. A comparison that pauses after a failure goes on at
// once.
func (l *life) recovered() {
	w := &l.watch
	if w.again == nil {
		return
	}
	w.again.Stop()
	w.again = nil
	w.pause.Shorten()
	l.runComparison()
}

// compare compares what pages know with the switch's list, and tells them what they have missed. certain says that
// events were missed; otherwise a difference counts only if it is still there half a second later.
func (l *life) compare(certain bool) {
	l.watch.due = true
	l.watch.certain = l.watch.certain || certain
	if !l.watch.running {
		l.runComparison()
	}
}

// doubt compares soon, because an event does not say what it is about, or is about something that pages do not know.
func (l *life) doubt() {
	if l.watch.doubts {
		return
	}
	l.watch.doubts = true
	l.later.Add(confirm, func() {
		l.watch.doubts = false
		l.compare(false)
	})
}

// reason is why a comparison is made.
type reason struct {
	certain bool // as watch.certain
	all     bool // as watch.all
}

func (l *life) runComparison() {
	w := &l.watch
	why := reason{w.certain, w.all}
	w.running, w.due, w.certain, w.all = true, false, false, false
	l.listAll(why, func(found []conference.Change, whole bool) {
		if why.certain || len(found) == 0 || why.all {
			l.settle(found, whole, why.all)
			return
		}
		l.ctx.After(confirm, func(service.Context) {
			l.listAll(reason{}, func(now []conference.Change, whole bool) {
				l.settle(slices.DeleteFunc(now, func(c conference.Change) bool { return !slices.ContainsFunc(found, c.Same) }), whole, false)
			})
		})
	})
}

// listAll calls then with the differences, in their turn among the pushes. whole is false if the list differs from events
// that are newer. If the switch does not answer it begins anew after a pause.
func (l *life) listAll(why reason, then func(found []conference.Change, whole bool)) {
	w := &l.watch
	since := l.known.Begin()
	l.ask(all(), func(list []conference.Conference, err error) {
		if err == nil {
			w.pause.Reset()
			l.enqueue(&push{turn: func() { then(l.known.Differences(list, since, why.all)) }})
			return
		}
		if !errors.Is(err, eventsocket.ErrNotConnected) && w.pause.First() {
			l.ctx.Log().Warn("conferences were not compared with the switch, pages may be wrong meanwhile", "err", err)
		}
		w.certain, w.all = w.certain || why.certain, w.all || why.all
		w.again = l.ctx.After(w.pause.After(err, l.Interval), func(service.Context) {
			w.again = nil
			l.runComparison()
		})
	})
}

// settle tells pages of the differences, and remembers them. all says that pages may have known anything. Unless the
// differences are the whole, it compares again.
func (l *life) settle(found []conference.Change, whole, all bool) {
	w := &l.watch
	var pushes []*push
	for i := range found {
		at := l.pushOf(&found[i])
		if w.tell || all {
			pushes = append(pushes, at)
			continue
		}
		at.complete()
		l.known.Settle(at.change, &at.payload, false)
	}
	if len(pushes) > 0 {
		l.ctx.Log().Info("conferences differed from the switch's, pages were told", "differences", len(pushes))
	}
	l.insert(pushes)
	w.running, w.tell = false, true
	w.current = !w.down && !w.certain
	if w.due {
		l.runComparison()
		return
	}
	if !whole {
		l.ctx.After(confirm, func(service.Context) { l.compare(false) })
	}
}

// pushOf returns what pages are told of a difference.
func (l *life) pushOf(c *conference.Change) *push {
	at := &push{topic: c.Topic, payload: c.Payload(), change: c, list: c.Conference()}
	at.name, _ = conference.Parse(c.Name)
	if topicHasName(c.Topic) {
		l.wantName(at)
	}
	return at
}
