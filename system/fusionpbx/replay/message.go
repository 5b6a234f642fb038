package replay

import (
	"bytes"
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
	value   string  // of the payload: compact JSON with the keys of objects sorted
	fields  []field // of the envelope, but the payload and the id
	payload []field // of a payload that is an object
}

type field struct {
	key   string
	value string          // compact JSON with the keys of objects sorted
	raw   json.RawMessage // as it was
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
func (m *Message) value() string { return m.compared().value }

// compared returns what can be compared. newMessage has found the text to be JSON, so reading it cannot fail.
func (m *Message) compared() *reading {
	r := m.read
	if r.done {
		return r
	}
	r.done = true
	if err := r.split(); err != nil {
		panic(fmt.Sprintf("read %s: %v", r.text, err))
	}
	if m.Topic == "pong" {
		r.value, r.payload = `{"pong":0}`, []field{{key: "pong", value: "0"}} // the time of day
	}
	return r
}

func (r *reading) split() error {
	fields, err := members(r.text)
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch f.key {
		case "payload":
			r.value = f.value
			if f.raw[0] == '{' {
				r.payload, err = members(f.raw)
			}
			continue
		case "id":
			continue // random
		}
		if f.value == "{}" && f.key == "permissions" {
			f.value = "[]" // as PHP writes it
		}
		r.fields = append(r.fields, f)
	}
	return err
}

// members returns the keys and values of an object in order.
func members(text []byte) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var fields []field
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		value, err := canonical(raw)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no key", key)
		}
		fields = append(fields, field{name, value, raw})
	}
	return fields, nil
}

// canonical returns a text that is the same for equal values.
func canonical(raw []byte) (string, error) {
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}

func get(fields []field, key string) string {
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
	if i < 0 {
		return ""
	}
	return fields[i].value
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
