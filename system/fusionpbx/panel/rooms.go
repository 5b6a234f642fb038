package panel

import (
	"strconv"

	"strowger/system/fusionpbx/conference"
)

// roomWatch compares what pages know of conferences with the switch.
type roomWatch struct {
	l       *life
	known   *conference.Known
	willed  map[string]bool // conferences that other nodes take from their pages when they lose this one
	tell    bool            // pages are told of differences
	all     bool            // a page was refused the list, so pages are told of all
	running bool            // a comparison is under way, or is made again after a failure
	due     bool            // another one follows it
	doubts  bool            // a comparison comes soon
	retry   retry
}

// gap compares after a gap in the events. A comparison that has failed is made again at once.
func (w *roomWatch) gap() {
	if w.retry.stop() {
		w.running = false
	}
	w.retry.pause.Reset()
	w.compare()
}

// doubt compares soon, because an event does not say what it is about, or is about something that pages do not know.
func (w *roomWatch) doubt() {
	if w.doubts {
		return
	}
	w.doubts = true
	w.l.line.Add(again, func() {
		w.doubts = false
		w.compare()
	})
}

// compare pushes what pages have missed.
func (w *roomWatch) compare() {
	if w.running {
		w.due = true
		return
	}
	w.run()
}

func (w *roomWatch) run() {
	w.retry.stop()
	w.running, w.due = true, false
	since := w.known.Begin()
	w.l.conferences.get("", func(list []conference.Conference, err error) {
		if err != nil {
			w.failed(err)
			return
		}
		w.retry.succeeded()
		w.l.inTurn(func() { w.settle(list, since) })
	})
}

// failed makes the comparison again after a pause.
func (w *roomWatch) failed(err error) {
	if w.retry.isNews(err) {
		w.l.ctx.Log().Warn("conferences were not compared with the switch, pages may be wrong meanwhile", "err", err)
	}
	w.retry.after(w.retry.pause.After(err, w.l.Interval), w.run)
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
		e.complete()
		w.known.Settle(e.change, &e.p, false)
	}
	w.l.insert(pushes)
	w.running, w.tell, w.all = false, true, false
	switch {
	case w.due:
		w.run()
	case !certain:
		w.retry.after(again, w.run)
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
