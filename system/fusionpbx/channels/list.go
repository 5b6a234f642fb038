package channels

import "strings"

// List is the switch's list of channels at one time.
type List struct {
	Rows  []Row
	since uint64 // number of the last event before the switch was asked
}

func (l *List) uuids() map[string]bool {
	uuids := make(map[string]bool, len(l.Rows))
	for i := range l.Rows {
		uuids[l.Rows[i].UUID] = true
	}
	return uuids
}

// newer returns the list with what events have said since the switch was asked for it. It is called while the list is used, and
// not later.
func (m *model) newer(now List) List {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := make([]Row, 0, len(now.Rows))
	for i := range now.Rows {
		r := &now.Rows[i]
		ch := m.channels[r.UUID]
		switch {
		case m.gone[r.UUID] && (ch == nil || ch.Get(keyAnswer) == hungUp):
			continue
		case ch != nil && ch.event > now.since:
			r = ch.newer(r)
		}
		rows = append(rows, *r)
	}
	return List{rows, now.since}
}

// find returns the row of a channel, or nil. A channel that is spelled as asked goes before one that is not.
func (l *List) find(uuid string) *Row {
	var folded *Row
	for i := range l.Rows {
		r := &l.Rows[i]
		if r.UUID == uuid {
			return r
		}
		if folded == nil && strings.EqualFold(r.UUID, uuid) {
			folded = r
		}
	}
	return folded
}

// legs returns the channel and those that it talks with: the legs of a call have the same call_uuid. It returns
// nothing if there is no such channel.
func (l *List) legs(uuid string) []Leg {
	of := l.find(uuid)
	if of == nil {
		return nil
	}
	legs := []Leg{of.leg()}
	for i := range l.Rows {
		other := &l.Rows[i]
		if other != of && (other.UUID == of.CallUUID || other.CallUUID != "" && (other.CallUUID == of.CallUUID || other.CallUUID == of.UUID)) {
			legs = append(legs, other.leg())
		}
	}
	return legs
}

func (r *Row) leg() Leg { return Leg{r.UUID, r.Context, r.Presence, r.CallerNumber} }
