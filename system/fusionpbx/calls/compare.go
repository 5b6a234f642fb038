package calls

import (
	"cmp"
	"slices"
	"time"

	"strowger/system/service"
)

// watch says how far the model can be relied on.
type watch struct {
	down    bool // there is no connection for events
	current bool // it was compared with the switch, and no event was missed since
	known   bool // it was compared in this life or an earlier one
	refused bool // a page was refused the list of calls
	all     bool // pages may know anything: they are told of every call
	due     bool
	certain bool // events were missed, so a difference need not be confirmed
	running bool
}

const (
	// retry is how long after a failure the switch is asked again.
	retry = 200 * time.Millisecond
	// confirm is how long a difference must last to be no matter of events that are on their way.
	confirm = 500 * time.Millisecond
)

// compare compares the model with the switch's list of channels, and tells pages what they have missed. certain says
// that events were missed; otherwise a difference counts only if it is still there half a second later.
func (l *life) compare(certain bool) {
	l.watch.due = true
	l.watch.certain = l.watch.certain || certain
	if !l.watch.running {
		l.run()
	}
}

func (l *life) run() {
	w := &l.watch
	certain := w.certain
	w.running, w.due, w.certain = true, false, false
	l.list(func(now list, err error) {
		if err != nil {
			l.ctx.Log().Debug("calls were not compared with the switch", "err", err)
			w.due, w.certain = true, w.certain || certain
			l.ctx.After(retry, func(service.Context) { l.run() })
			return
		}
		found := l.calls.differences(now, w.all)
		if certain || found.empty() {
			l.settle(found, now)
			return
		}
		l.ctx.After(confirm, func(service.Context) { l.confirm(found) })
	})
}

// confirm tells pages of those differences that are still there.
func (l *life) confirm(before differences) {
	l.list(func(now list, err error) {
		if err != nil {
			l.watch.due = true
			l.ctx.After(retry, func(service.Context) { l.run() })
			return
		}
		l.settle(l.calls.differences(now, l.watch.all).only(before), now)
	})
}

// settle makes the model as the list is and says so.
func (l *life) settle(found differences, now list) {
	w := &l.watch
	if w.known || w.refused || w.all {
		for _, ch := range found.ended {
			l.ctx.Broadcast(callState, ch.end())
		}
		for _, r := range found.rows {
			l.ctx.Broadcast(callState, r.payload())
		}
	}
	if n := len(found.ended) + len(found.rows); n > 0 && w.known {
		l.ctx.Log().Info("calls differed from the switch's, pages were told", "ended", len(found.ended), "others", len(found.rows))
	}
	l.calls.settle(found, now)
	w.running, w.known, w.refused, w.all = false, true, false, false
	w.current = !w.down && !(w.due && w.certain)
	if w.due {
		l.run()
	}
}

// differences are what pages do not know, or know wrongly.
type differences struct {
	ended []*channel
	rows  []*row // calls that are new, or were answered, or are another domain's now
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
// list. With all, every row is a difference.
func (m *model) differences(now list, all bool) differences {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found differences
	listed := now.uuids()
	for i := range now.rows {
		r := &now.rows[i]
		ch := m.channels[r.UUID]
		switch {
		case m.gone[r.UUID], ch != nil && (ch.ended || ch.event > now.since):
		case ch == nil, all, r.answered() && !ch.answered(), r.Context != "" && r.Context != ch.get(keyContext):
			found.rows = append(found.rows, r)
		}
	}
	for uuid, ch := range m.channels {
		if !listed[uuid] && !ch.ended && ch.event <= now.since {
			found.ended = append(found.ended, ch)
		}
	}
	slices.SortFunc(found.ended, func(a, b *channel) int { return cmp.Compare(a.uuid, b.uuid) })
	return found
}

// settle takes over the differences. Channels that ended and are not in the list are forgotten: the switch's last word
// of them was missed.
func (m *model) settle(found differences, now list) {
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
