package channels

import "strings"

// Leg is a channel, or one that it talks with.
type Leg struct {
	UUID         string
	Context      string
	Presence     string // extension@domain
	CallerNumber string
}

// Of reports whether the leg is of the domain.
func (l Leg) Of(domain string) bool {
	_, presence, ok := strings.Cut(l.Presence, "@")
	return domain != "" && (l.Context == domain || ok && presence == domain)
}

// covers reports whether the leg is of each domain that the other is of.
func (l Leg) covers(other Leg) bool {
	_, presence, _ := strings.Cut(other.Presence, "@")
	return (other.Context == "" || l.Of(other.Context)) && (presence == "" || l.Of(presence))
}

// leg returns the channel. ok is false if there is no such channel.
func (m *model) leg(uuid string) (leg Leg, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ch := m.find(uuid); ch != nil {
		return ch.leg(), true
	}
	return Leg{}, false
}

// legs returns the channel and those that it has talked with, nothing if there is no such channel. The switch sends no event
// to each leg when a call is transferred, so it may talk with others by now.
func (m *model) legs(uuid string) []Leg {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := m.find(uuid)
	if ch == nil {
		return nil
	}
	legs := []Leg{ch.leg()}
	for _, other := range m.channels {
		if other != ch && (ch.knows(other) || other.knows(ch)) {
			legs = append(legs, other.leg())
		}
	}
	return legs
}

// trusted reports whether it makes no difference to anybody's rights that the legs may have parted: each is of no domain
// that the first is not of.
func trusted(legs []Leg) bool {
	for _, other := range legs {
		if !legs[0].covers(other) {
			return false
		}
	}
	return true
}

// find returns a channel, or nil. A channel that is spelled as asked goes before one that is not: most switches spell UUIDs
// in lower case, but one that takes them from phones has all spellings.
func (m *model) find(uuid string) *Channel {
	if ch := m.channels[uuid]; ch != nil {
		return ch
	}
	for known, ch := range m.channels {
		if strings.EqualFold(known, uuid) {
			return ch
		}
	}
	return nil
}

// knows reports whether the switch called the other the channel's other leg.
func (ch *Channel) knows(other *Channel) bool {
	return ch.Get(keyOther) == other.uuid || ch.Get(keyBridge) == other.uuid
}

func (ch *Channel) leg() Leg {
	return Leg{ch.uuid, ch.Get(keyContext), ch.Get(keyPresence), ch.Get("caller_caller_id_number")}
}

// Of reports whether the channel is of the domain.
func (r *Row) Of(domain string) bool { return r.leg().Of(domain) }
