package actors

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// filtered is what a client asked to get of its services, where that is less than all that the policies give it.
type filtered struct {
	asked   json.RawMessage // as the client wrote it; nil: nothing
	filters map[string]*filter.Narrowing
	answer  envelope.Raw // for the 200
}

// narrow reads what the client asked for. A filter that is not good is as if it were not there, and the answer says why.
// It returns false if the filters together name more than most topics and values.
func (f *filtered) narrow(subscriptions []string, most int) (good bool) {
	var asked map[string]json.RawMessage
	_ = json.Unmarshal(f.asked, &asked)
	f.filters = make(map[string]*filter.Narrowing)
	f.answer = envelope.Raw("{")
	good = true
	total := 0
	for _, service := range slices.Sorted(maps.Keys(asked)) {
		n, err := filter.ParseNarrowing(asked[service])
		said := envelope.Raw("true")
		switch {
		case err != nil:
			said = envelope.QuoteString(err.Error())
		case !slices.Contains(subscriptions, service):
			said = envelope.QuoteString("not subscribed")
		case total+n.Size() > most:
			said = envelope.QuoteString("the filters name more than " + strconv.Itoa(most) + " topics and values")
			good = false
		default:
			total += n.Size()
			f.filters[service] = n
		}
		if len(f.answer) > 1 {
			f.answer = append(f.answer, ',')
		}
		f.answer = append(append(append(f.answer, envelope.QuoteString(service)...), ':'), said...)
	}
	f.answer = append(f.answer, '}')
	return good
}

// narrow takes the filters that a client asks for when it authenticates.
func (c *connection) narrow() {
	w := c.peer.wishes
	if w == nil || w.asked == nil {
		return
	}
	if most := c.deps.filterValues(); !w.narrow(c.peer.Subscriptions, most) {
		c.refused(&refusals.Event{Cause: refusals.FilterValues, More: []any{"limit", strconv.Itoa(most)}})
	}
}

// narrowing returns what the peer asked to get of a service; nil: all.
func (p *Peer) narrowing(service string) *filter.Narrowing {
	if p.wishes == nil {
		return nil
	}
	return p.wishes.filters[service]
}

// filterValues returns how many topics and values the filters of one client may name.
func (d *Deps) filterValues() int {
	if n := d.settings().FilterValues; n > 0 {
		return n
	}
	return 64
}
