package channels

import (
	"slices"
	"strings"
)

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
	if ch := m.find(uuid)[0]; ch != nil {
		return ch.leg(), true
	}
	return Leg{}, false
}

// legs returns the channel and those that it has talked with, nothing if there is no such channel. The switch sends no event
// to each leg when a call is transferred, so it may talk with others by now.
func (m *model) legs(uuid string) []Leg { return m.legsOf(uuid)[0] }

// legsOf is legs for several channels, in their order. It looks once at each channel that is known, however many are
// asked for.
func (m *model) legsOf(uuids ...string) [][]Leg {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.find(uuids...)
	naming := make(map[string][]*Channel, len(of)) // the channels that name one as their other leg
	for _, ch := range of {
		if ch != nil {
			naming[ch.uuid] = nil
		}
	}
	for _, other := range m.channels {
		for _, uuid := range other.others() {
			if known, asked := naming[uuid]; asked {
				naming[uuid] = append(known, other)
			}
		}
	}
	found := make([][]Leg, len(uuids))
	for i, ch := range of {
		if ch == nil {
			continue
		}
		found[i] = []Leg{ch.leg()}
		seen := map[*Channel]bool{nil: true, ch: true}
		for _, other := range append(slices.Clip(naming[ch.uuid]), m.named(ch)...) {
			if !seen[other] {
				seen[other] = true
				found[i] = append(found[i], other.leg())
			}
		}
	}
	return found
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

// find returns the channels, nil for one that is not known. A channel that is spelled as asked goes before one that is
// not: most switches spell UUIDs in lower case, but one that takes them from phones has all spellings.
func (m *model) find(uuids ...string) []*Channel {
	found := make([]*Channel, len(uuids))
	missing := map[string][]int{} // by the UUID in lower case
	for i, uuid := range uuids {
		if found[i] = m.channels[uuid]; found[i] == nil {
			folded := strings.ToLower(uuid)
			missing[folded] = append(missing[folded], i)
		}
	}
	if len(missing) == 0 {
		return found
	}
	for known, ch := range m.channels {
		for _, i := range missing[strings.ToLower(known)] {
			found[i] = ch
		}
	}
	return found
}

// others returns the UUIDs of the channels that the switch called the channel's other leg.
func (ch *Channel) others() [2]string { return [2]string{ch.Get(keyOther), ch.Get(keyBridge)} }

// named returns those channels, nil for one that is not known.
func (m *model) named(ch *Channel) []*Channel {
	others := ch.others()
	return []*Channel{m.channels[others[0]], m.channels[others[1]]}
}

func (ch *Channel) leg() Leg {
	return Leg{ch.uuid, ch.Get(keyContext), ch.Get(keyPresence), ch.Get("caller_caller_id_number")}
}

// Of reports whether the channel is of the domain.
func (r *Row) Of(domain string) bool { return r.leg().Of(domain) }
