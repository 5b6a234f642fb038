package conferences

import (
	"slices"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/service"
)

const (
	// retry is how long after a failure the switch is asked again.
	retry = 200 * time.Millisecond
	// confirm is how long a difference must last to be no matter of events that are on their way.
	confirm = 500 * time.Millisecond
)

// watch compares what pages know with the switch.
type watch struct {
	down    bool // no events come: there is no connection for them, or none yet
	current bool // it was compared with the switch, and no event was missed since
	tell    bool // pages may know something: they are told of differences
	all     bool // a page was refused the list of conferences: pages are told of all of them
	running bool
	due     bool
	certain bool // events were missed, so a difference need not be confirmed
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

func (l *life) runComparison() {
	w := &l.watch
	certain := w.certain
	w.running, w.due, w.certain = true, false, false
	l.listAll(certain, func(found []conference.Change, whole bool) {
		if certain || len(found) == 0 || w.all {
			l.settle(found, whole)
			return
		}
		l.ctx.After(confirm, func(service.Context) {
			l.listAll(false, func(now []conference.Change, whole bool) {
				l.settle(slices.DeleteFunc(now, func(c conference.Change) bool { return !slices.ContainsFunc(found, c.Same) }), whole)
			})
		})
	})
}

// listAll calls then with the differences, in their turn among the pushes. whole is false if the list differs from events
// that are newer. If the switch does not answer it begins anew.
func (l *life) listAll(certain bool, then func(found []conference.Change, whole bool)) {
	since := l.known.Begin()
	l.ask(all(), func(list []conference.Conference, err error) {
		if err != nil && !isMissing(err) {
			l.ctx.Log().Debug("conferences were not compared with the switch", "err", err)
			l.watch.certain = l.watch.certain || certain
			l.ctx.After(retry, func(service.Context) { l.runComparison() })
			return
		}
		if err != nil {
			l.ctx.Log().Warn("conferences were not compared with the switch: it did not answer with a list")
			l.watch.running, l.watch.certain = false, l.watch.certain || certain // until the next interval
			return
		}
		l.enqueue(&push{turn: func() { then(l.known.Differences(list, since, l.watch.all)) }})
	})
}

// settle tells pages of the differences, and remembers them. Unless they are the whole, it compares again.
func (l *life) settle(found []conference.Change, whole bool) {
	w := &l.watch
	var pushes []*push
	for i := range found {
		at := l.pushOf(&found[i])
		if w.tell || w.all {
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
	w.running, w.tell, w.all = false, true, false
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
