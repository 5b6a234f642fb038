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

	value   string  // of the payload: compact JSON with the keys of objects sorted
	fields  []field // of the envelope, but the payload and the id
	payload []field // of a payload that is an object
	line    int     // of the recording, from 1; 0: not from there
}

type field struct {
	key   string
	value string          // compact JSON with the keys of objects sorted
	raw   json.RawMessage // as it was
}

// IsPush reports whether the message answers no request.
func (m *Message) IsPush() bool { return m.RequestID == "" }

// Get returns the JSON of a key of the payload, or "".
func (m *Message) Get(key string) string { return get(m.payload, key) }

// Field returns the JSON of a key of the envelope, or "".
func (m *Message) Field(key string) string { return get(m.fields, key) }

// newMessage reads an envelope as it is on the wire.
func newMessage(text []byte) (Message, error) {
	fields, err := members(text)
	if err != nil {
		return Message{}, fmt.Errorf("envelope: %w", err)
	}
	var m Message
	for _, f := range fields {
		switch f.key {
		case "payload":
			m.Payload, m.value = f.raw, f.value
			if f.raw[0] == '{' {
				m.payload, err = members(f.raw)
			}
			continue
		case "id":
			continue // random
		case "topic":
			m.Topic, _ = envelope.Text([]byte(f.value))
		case "request_id":
			m.RequestID, _ = envelope.Text([]byte(f.value))
		case "resource_id":
			m.ResourceID, _ = envelope.Text([]byte(f.value))
		}
		if f.value == "{}" && f.key == "permissions" {
			f.value = "[]" // as PHP writes it
		}
		m.fields = append(m.fields, f)
	}
	if m.Topic == "pong" {
		m.value, m.payload = `{"pong":0}`, []field{{key: "pong", value: "0"}} // the time of day
	}
	return m, err
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
