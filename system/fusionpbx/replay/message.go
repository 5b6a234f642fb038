package replay

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"strowger/actors/envelope"
)

// Message is an envelope with the keys that can be compared.
type Message struct {
	// At is when a message of the service under test was said, since the start of the recording.
	At         time.Duration
	Topic      string
	RequestID  string
	ResourceID string
	Payload    json.RawMessage

	read *reading
	line int // of the recording, from 1; 0: not from there
}

// reading is the part of a message that is read when somebody first asks for it, because most messages of most tests
// are never compared. It is shared by the copies of a message and belongs to the goroutine of the test.
type reading struct {
	text    []byte // the envelope as it is on the wire
	decoded *envelope.Message
	done    bool
	whole   field   // the payload
	fields  []field // of the envelope, but the payload and the id
	payload []field // of a payload that is an object
}

// IsPush reports whether the message answers no request.
func (m *Message) IsPush() bool { return m.RequestID == "" }

// Get returns the JSON of a key of the payload, or "".
func (m *Message) Get(key string) string { return get(m.payload(), key) }

// Field returns the JSON of a key of the envelope, or "".
func (m *Message) Field(key string) string { return get(m.fields(), key) }

// newMessage reads an envelope as it is on the wire. The text must not change afterwards.
func newMessage(text []byte) (Message, error) {
	e, err := envelope.Decode(text, envelope.MaxDepth)
	if err != nil {
		return Message{}, fmt.Errorf("envelope: %w", err)
	}
	m := Message{Payload: json.RawMessage(e.Payload), read: &reading{text: text, decoded: e}}
	m.Topic, _ = envelope.Text(e.Topic)
	m.RequestID, _ = envelope.Text(e.RequestID)
	m.ResourceID, _ = envelope.Text(e.ResourceID)
	return m, nil
}

// fields returns the keys of the envelope, but the payload and the id.
func (m *Message) fields() []field { return m.compared().fields }

// payload returns the keys of a payload that is an object.
func (m *Message) payload() []field { return m.compared().payload }

// value returns the payload as compact JSON with the keys of objects sorted.
func (m *Message) value() string { return m.compared().whole.value() }

// compared returns what can be compared.
func (m *Message) compared() *reading {
	r := m.read
	if r.done {
		return r
	}
	r.done = true
	for _, f := range split(r.text) { // newMessage has found it to be an object
		switch f.key {
		case "payload":
			if m.Topic == "pong" {
				f.raw = json.RawMessage(`{"pong":0}`) // not the time of day
			}
			r.whole = f
			if f.raw[0] == '{' {
				r.payload = split(f.raw)
			}
			continue
		case "id":
			continue // random
		case "permissions":
			if string(f.raw) == "{}" {
				f.raw = json.RawMessage("[]") // as PHP writes it
			}
		}
		r.fields = append(r.fields, f)
	}
	return r
}

func get(fields []field, key string) string {
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
	if i < 0 {
		return ""
	}
	return fields[i].value()
}

// sameThing reports whether two messages speak of the same, though perhaps not in the same words.
func (m *Message) sameThing(other *Message) bool {
	if m.Topic != other.Topic || m.RequestID != other.RequestID {
		return false
	}
	for _, key := range []string{"unique_id", "member_id", "conference_name", "extension"} {
		if m.Get(key) != other.Get(key) {
			return false
		}
	}
	return true
}
