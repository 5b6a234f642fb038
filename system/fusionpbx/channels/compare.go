package channels

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// confirm is how long a difference must last to be no matter of events that are on their way.
const confirm = 500 * time.Millisecond

// compare compares the model with the switch's list of channels, and tells pages what they have missed. certain says
// that events were missed; otherwise a difference counts only if it is still there half a second later.
func (w *Watch) compare(certain bool) {
	w.due = true
	w.certain = w.certain || certain
	if !w.running {
		w.run()
	}
}

func (w *Watch) run() {
	certain, all := w.certain, w.all
	w.running, w.due, w.certain, w.all = true, false, false, false
	w.list(func(now List, err error) {
		if err != nil {
			w.failed(err, certain, all)
			return
		}
		w.pause.Reset()
		found := w.differences(now, all)
		if certain || all || found.empty() {
			w.settle(found, now, all)
			return
		}
		w.ctx.After(confirm, func(service.Context) { w.confirm(found) })
	})
}

// confirm tells pages of those differences that are still there.
func (w *Watch) confirm(before differences) {
	w.list(func(now List, err error) {
		if err != nil {
			w.failed(err, false, false)
			return
		}
		w.settle(w.differences(now, false).only(before), now, false)
	})
}

// failed makes the comparison again after a pause.
func (w *Watch) failed(err error, certain, all bool) {
	if !errors.Is(err, eventsocket.ErrNotConnected) && w.pause.First() {
		w.ctx.Log().Warn("calls were not compared with the switch, pages may be wrong meanwhile", "err", err)
	}
	w.due, w.certain, w.all = true, w.certain || certain, w.all || all
	w.again = w.ctx.After(w.pause.After(err, w.o.Interval), func(service.Context) {
		w.again = nil
		w.run()
	})
}

// settle makes the model as the list is and says so. all says that pages may have known anything.
func (w *Watch) settle(found differences, now List, all bool) {
	if w.compared || all {
		for _, ch := range found.ended {
			w.o.Ended(ch)
		}
		for _, r := range found.rows {
			if ch := w.movedBy(r); ch != nil {
				w.o.Ended(ch)
			}
			w.bequeath(r.channel())
			w.o.Changed(r)
		}
	}
	if n := len(found.ended) + len(found.rows); n > 0 && w.compared {
		w.ctx.Log().Info("calls differed from the switch's, pages were told", "ended", len(found.ended), "others", len(found.rows))
	}
	w.known.settle(found, now)
	for _, ch := range found.ended {
		w.release(ch.uuid)
	}
	w.running, w.compared = false, true
	w.current = !w.down && !(w.due && w.certain)
	if w.due {
		w.run()
	}
}

// differences are what pages do not know, or know wrongly.
type differences struct {
	ended []*Channel
	rows  []*Row // channels that are new, or were answered, or are another domain's now
}

func (d *differences) empty() bool { return len(d.ended)+len(d.rows) == 0 }

// only returns the differences that are also in the other.
func (d differences) only(other differences) differences {
	known := map[string]bool{}
	for _, ch := range other.ended {
		known[ch.uuid] = true
	}
	for _, r := range other.rows {
		known[r.UUID] = true
	}
	var both differences
	for _, ch := range d.ended {
		if known[ch.uuid] {
			both.ended = append(both.ended, ch)
		}
	}
	for _, r := range d.rows {
		if known[r.UUID] {
			both.rows = append(both.rows, r)
		}
	}
	return both
}

// differences compares the model with a list. What events have said since the list was asked for is newer than the
// list. With all, pages may know anything, and every row is a difference.
func (w *Watch) differences(now List, all bool) differences {
	m := w.known
	m.mu.Lock()
	defer m.mu.Unlock()
	var found differences
	listed := now.uuids()
	for i := range now.Rows {
		r := &now.Rows[i]
		ch := m.channels[r.UUID]
		switch {
		case m.gone[r.UUID], ch != nil && ch.ended:
		case ch == nil, !ch.shown, ch.unseen, r.Answered() && !ch.answered():
			found.rows = append(found.rows, r) // no later event takes that back
		case all && ch.event > now.since:
			found.rows = append(found.rows, ch.newer(r))
		case ch.event > now.since:
		case all, r.Context != "" && r.Context != ch.Get(keyContext), w.o.Differs != nil && w.o.Differs(ch, r):
			found.rows = append(found.rows, r)
		}
	}
	for uuid, ch := range m.channels {
		if !listed[uuid] && !ch.ended && ch.event <= now.since {
			found.ended = append(found.ended, ch)
		}
	}
	slices.SortFunc(found.ended, func(a, b *Channel) int { return cmp.Compare(a.uuid, b.uuid) })
	return found
}

// settle takes over the differences. Channels that ended and are not in the list are forgotten: the switch's last word
// of them was missed.
func (m *model) settle(found differences, now List) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ch := range found.ended {
		delete(m.channels, ch.uuid)
	}
	for _, r := range found.rows {
		if ch := m.channels[r.UUID]; ch != nil {
			ch.update(r)
			continue
		}
		m.channels[r.UUID] = r.channel()
	}
	listed := now.uuids()
	for uuid, ch := range m.channels {
		if ch.ended && !listed[uuid] && ch.event <= now.since {
			delete(m.channels, uuid)
		}
	}
}
