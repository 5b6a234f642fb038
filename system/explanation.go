package system

import (
	"encoding/json"
	"errors"

	"strowger/actors/envelope"
	"strowger/actors/filter"
)

// Event is a message that a service might say.
type Event struct {
	Topic   string
	Payload json.RawMessage // nil for null
}

// ParseEvent reads a message as a service sends it: a JSON object of which topic and payload count.
func ParseEvent(data []byte) (*Event, error) {
	m, err := envelope.Decode(data, envelope.MaxDepth)
	switch {
	case err != nil:
		return nil, err
	case m.Topic == nil && m.Payload == nil:
		return nil, errors.New(`the event has neither topic nor payload, write {"topic": ..., "payload": ...}`)
	}
	topic, _ := envelope.Text(m.Topic)
	return &Event{Topic: topic, Payload: json.RawMessage(m.Payload)}, nil
}

// check returns an error if the payload is not JSON. An absent event and an absent payload are fine.
func (e *Event) check() error {
	if e != nil && len(e.Payload) > 0 && !json.Valid(e.Payload) {
		return errors.New("explain: the event's payload is not JSON")
	}
	return nil
}

func (e *Event) parts() (topic string, payload []byte) {
	if e == nil {
		return "", nil
	}
	return e.Topic, e.Payload
}

// Explanation tells what a subscriber gets of what a service says, and which rule says so. It is
// what strowger explain prints.
type Explanation struct {
	Service string `json:"service"`
	Class   string `json:"class,omitempty"`
	// Policy is the name of the policy that counts: of a service, if Source is service; otherwise of a service or a
	// class. It is empty for the default.
	Policy string `json:"policy,omitempty"`
	// Source says where the policy stands: configuration, service, builtin or default. The first of them
	// that has a policy for the service counts.
	Source string `json:"source"`
	// Watches tells whether the subscriber gets the service's broadcasts at all.
	Watches bool `json:"watches"`
	// Scope is the scope that counts for the subscriber; empty if none does.
	Scope string `json:"scope,omitempty"`
	// Verdict is deliver or drop; empty without an event.
	Verdict string `json:"verdict,omitempty"`
	// Rule is what dropped the event or, without one, what keeps the subscriber out.
	Rule string `json:"rule,omitempty"`
	// Refused is the rule by which a request with the topic and payload of the event is answered 403
	// before the service sees it; empty if it may pass and, without an event, if Rule says it already. A 403 for a request that may pass stands in
	// place of a reply that Rule dropped.
	Refused string          `json:"refused,omitempty"`
	Topic   string          `json:"topic,omitempty"`
	Fields  []Field         `json:"fields,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"` // as the subscriber gets it
}

// Field tells what became of one key of the payload, or of one element of a list.
type Field struct {
	Key  string `json:"key"`
	Kept bool   `json:"kept"`
	Rule string `json:"rule,omitempty"` // empty where no rule speaks of it
}

// take fills in what the filter said, of the event as a message and as a request.
func (e *Explanation) take(said filter.Explanation, event *Event) {
	e.Scope, e.Rule = said.Scope, said.Rule
	if event != nil || said.Refused != said.Rule {
		e.Refused = said.Refused
	}
	if event == nil {
		if !said.Out {
			e.Rule = "" // it speaks of the empty message that nobody asked about
		}
		return
	}
	e.Topic, e.Verdict, e.Payload = event.Topic, said.Verdict.String(), said.Payload
	for _, f := range said.Fields {
		e.Fields = append(e.Fields, Field(f))
	}
}
