package actors

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"strowger/actors/envelope"
)

// wishes is what a client asked for in its authentication message besides to be let in (protocol 13 to 15). Nil: nothing,
// as older clients do. It never changes.
type wishes struct {
	recorded bool     // broadcasts with their positions
	gaps     bool     // a word where broadcasts were dropped because it reads slowly
	resumes  bool     // tickets
	presence []string // services of which it is told who watches them
	keeps    bool     // the answers to its open requests over another connection
	filtered
}

// wished returns what an authentication message asks for, and where the client says it was. What is not understood
// is not asked for.
func wished(e *envelope.Envelope) (*wishes, map[string]Position) {
	var asked map[string]json.RawMessage
	if len(e.Payload) == 0 || e.Payload[0] != '{' || json.Unmarshal(e.Payload, &asked) != nil {
		return nil, nil
	}
	var w wishes
	positions := wishedPositions(asked["history"])
	w.recorded = positions != nil
	if json.Unmarshal(asked["gaps"], &w.gaps) != nil {
		w.gaps = false
	}
	if wish := asked["filters"]; len(wish) > 0 && wish[0] == '{' {
		w.asked = bytes.Clone(wish)
	}
	w.resumes = string(asked["resume"]) == "true"
	w.keeps = w.resumes && string(asked["requests"]) == "true"
	if json.Unmarshal(asked["presence"], &w.presence) != nil {
		w.presence = nil
	}
	if !w.recorded && !w.gaps && !w.resumes && w.presence == nil && w.asked == nil {
		return nil, nil
	}
	return &w, positions
}

// wishedPositions returns where the client says it was; nil if it has not asked for positions. A service whose value is of
// the wrong type is left out.
func wishedPositions(wish json.RawMessage) map[string]Position {
	var history map[string]json.RawMessage
	if json.Unmarshal(wish, &history) != nil || history == nil {
		return nil
	}
	positions := make(map[string]Position, len(history))
	for service, value := range history {
		var at *Position
		if json.Unmarshal(value, &at) != nil {
			continue
		}
		positions[service] = Position{}
		if at != nil && at.valid() {
			positions[service] = *at
		}
	}
	return positions
}

// recorded reports whether the peer gets positions.
func (p *Peer) recorded() bool { return p.wishes != nil && p.wishes.recorded }

// HearsGaps reports whether the peer has asked to be told where broadcasts were dropped because it reads slowly.
func (p *Peer) HearsGaps() bool { return p != nil && p.wishes != nil && p.wishes.gaps }

// granted returns the payload of the 200 to a client that has wishes. The names in asked without a recovery are
// services that the client is not subscribed to.
func (w *wishes) granted(recoveries []Recovery, asked map[string]Position) envelope.Raw {
	out := envelope.Raw("{")
	if w.recorded {
		out = append(appendHistory(append(out, `"history":`...), recoveries, asked), ',')
	}
	if w.gaps {
		out = append(out, `"gaps":true,`...)
	}
	if w.asked != nil {
		out = append(append(append(out, `"filters":`...), w.answer...), ',')
	}
	if w.presence != nil {
		out = append(appendNames(append(out, `"presence":`...), w.presence), ',')
	}
	out[len(out)-1] = '}' // in place of the comma
	return out
}

// appendHistory appends what a client hears of where it is in each service.
func appendHistory(out envelope.Raw, recoveries []Recovery, asked map[string]Position) envelope.Raw {
	out = append(out, '{')
	comma := func() {
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
	}
	seen := make(map[string]bool, len(recoveries))
	for _, r := range recoveries {
		seen[r.Service] = true
		if r.Position.Epoch == "" && !r.Asked {
			continue
		}
		comma()
		out = append(append(out, envelope.QuoteString(r.Service)...), ":{"...)
		if r.Position.Epoch != "" {
			out = append(out, r.Position.keys()[1:]...)
		}
		if r.Asked {
			comma()
			out = strconv.AppendBool(append(out, `"recovered":`...), r.Recovered)
		}
		out = append(out, '}')
	}
	for service := range asked {
		if !seen[service] {
			comma()
			out = append(append(out, envelope.QuoteString(service)...), `:{"recovered":false}`...)
		}
	}
	return append(out, '}')
}

func appendNames(out envelope.Raw, names []string) envelope.Raw {
	out = append(out, '[')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = envelope.AppendString(out, name)
	}
	return append(out, ']')
}

// attend leaves of the services that a client wants to know the watchers of those that it is subscribed to, each once.
func (w *wishes) attend(subscriptions []string) {
	if w == nil || w.presence == nil {
		return
	}
	slices.Sort(w.presence)
	w.presence = slices.DeleteFunc(slices.Compact(w.presence), func(name string) bool { return !slices.Contains(subscriptions, name) })
}
