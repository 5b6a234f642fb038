package panel

import (
	"errors"
	"strconv"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/service"
)

// roomWatch compares what pages know of conferences with the switch.
type roomWatch struct {
	l       *life
	known   *conference.Known
	tell    bool // pages are told of differences
	all     bool // a page was refused the list, so pages are told of all
	running bool
	due     bool
}

// again is how long after a failure, or after an event that came during a comparison, the switch is asked again.
const again = 500 * time.Millisecond

// compare pushes what pages have missed.
func (w *roomWatch) compare() {
	if w.running {
		w.due = true
		return
	}
	w.running, w.due = true, false
	since := w.known.Begin()
	w.l.conferences.get("", func(list []conference.Conference, err error) {
		if err == nil {
			w.l.enqueue(&push{ready: true, turn: func() { w.settle(list, since) }})
			return
		}
		pause := again
		if errors.Is(err, conference.ErrList) {
			pause = w.l.Interval // the same answer is likely to come again
			w.l.ctx.Log().Warn("conferences were not compared with the switch: it did not answer with a list")
		}
		w.running = false
		w.l.ctx.After(pause, func(service.Context) { w.compare() })
	})
}

// refused notes that a page was refused the list. Pages are told of all conferences when it can be had again.
func (w *roomWatch) refused() {
	w.all = true
	w.compare()
}

// settle pushes the differences before all that waits. It compares again if the list differs from newer events.
func (w *roomWatch) settle(list []conference.Conference, since uint64) {
	found, certain := w.known.Differences(list, since, w.all)
	var pushes []*push
	for i := range found {
		e := newDifference(&found[i])
		if w.tell || w.all {
			pushes = append(pushes, w.l.newPush(e))
			continue
		}
		e.payload()
		w.known.Settle(e.change, &e.p, false)
	}
	w.l.insert(pushes)
	w.running, w.tell, w.all = false, true, false
	switch {
	case w.due:
		w.compare()
	case !certain:
		w.l.ctx.After(again, func(service.Context) { w.compare() })
	}
}

// newDifference returns an event as the switch would have sent it.
func newDifference(c *conference.Change) *memberEvent {
	e := &memberEvent{p: c.Payload(), topic: c.Topic, name: parseName(c.Name), change: c}
	if of := c.Conference(); of != nil {
		e.list = []conference.Conference{*of}
	}
	if m, ok := c.Member(); ok {
		e.p.Set("hear", strconv.FormatBool(m.Flags.Hear))
		e.p.Set("speak", strconv.FormatBool(m.Flags.Speak))
	}
	return e
}
