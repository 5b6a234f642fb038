package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Narrowing is what a subscriber asks to get of a service, of all that the policy gives it. It never changes.
type Narrowing struct {
	// Text is the same for all narrowings that pass the same, as far as their spelling tells.
	Text   string
	topics map[string]bool // nil: all
	keys   []wanted
	size   int
}

// wanted is a key of the payload, and the values that pass: a kind, and a text or JSON.
type wanted struct {
	name   string
	values map[string]bool
}

// narrows is a Narrowing as it is written.
type narrows struct {
	Topics []string                   `json:"topics"`
	Keys   map[string]json.RawMessage `json:"keys"`
}

var (
	errNoNarrowing = errors.New("not an object with topics, a list of texts, or keys, an object")
	errNoTerm      = errors.New("names neither a topic nor a key")
)

// ParseNarrowing reads {"topics":["T"],"keys":{"K":"V","L":[1,true]}}. A message passes if its topic is one of the topics,
// if any are given, and if its payload has each of the keys with one of its values: texts, numbers as they are written,
// true, false and null. The error says what is wrong, for whoever wrote it.
func ParseNarrowing(text []byte) (*Narrowing, error) {
	var written narrows
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&written); err != nil || kind(text) != '{' {
		return nil, errNoNarrowing
	}
	n := &Narrowing{topics: set(written.Topics), size: len(written.Topics)}
	for _, name := range slices.Sorted(maps.Keys(written.Keys)) {
		values, err := valuesOf(written.Keys[name])
		if err != nil {
			return nil, fmt.Errorf("key %q %w", name, err)
		}
		n.keys = append(n.keys, wanted{name, values})
		n.size += len(values)
	}
	if n.size == 0 {
		return nil, errNoTerm
	}
	n.Text = n.spell()
	return n, nil
}

// valuesOf reads one value or a list of them.
func valuesOf(raw []byte) (map[string]bool, error) {
	values := make(map[string]bool)
	add := func(value []byte) bool {
		if c := kind(value); c == '{' || c == '[' {
			return false
		}
		values[string(spelled(nil, value))] = true
		return true
	}
	if kind(raw) != '[' {
		if !add(raw) {
			return nil, errors.New("takes texts, numbers, true, false and null")
		}
		return values, nil
	}
	s := scan(raw)
	for m, ok := s.next(); ok; m, ok = s.next() {
		if !add(m.value) {
			return nil, errors.New("takes texts, numbers, true, false and null")
		}
	}
	if len(values) == 0 {
		return nil, errors.New("has no value")
	}
	return values, nil
}

// spelled appends a value as it is compared: a text without its escapes.
func spelled(dst, value []byte) []byte {
	if said, ok := text(value); ok {
		return append(append(dst, 't'), said...)
	}
	return append(append(dst, 'v'), bytes.TrimSpace(value)...)
}

func (n *Narrowing) spell() string {
	var b strings.Builder
	for _, topic := range slices.Sorted(maps.Keys(n.topics)) {
		fmt.Fprintf(&b, "%q ", topic)
	}
	for _, key := range n.keys {
		fmt.Fprintf(&b, "%q:%q ", key.name, slices.Sorted(maps.Keys(key.values)))
	}
	return b.String()
}

// Size returns how many topics and values it names.
func (n *Narrowing) Size() int { return n.size }

// Passes reports whether a message passes. The payload is what the subscriber would get.
func (n *Narrowing) Passes(topic string, payload []byte) bool {
	var w Words
	w.Want(n)
	w.Read(payload)
	return w.Pass(n, topic)
}

// Words is what a payload says under the keys that some narrowings want. It is read once for all of them.
type Words struct {
	at    map[string]*wordAt
	turn  uint64 // of payloads that were read
	spell []byte
}

type wordAt struct {
	value []byte
	turn  uint64 // of the last payload that had the key
	wants int
}

// Want has the keys of n read from now on. Unwant undoes it.
func (w *Words) Want(n *Narrowing) {
	if w.at == nil {
		w.at = make(map[string]*wordAt)
	}
	for _, key := range n.keys {
		if w.at[key.name] == nil {
			w.at[key.name] = new(wordAt)
		}
		w.at[key.name].wants++
	}
}

// Unwant undoes one Want.
func (w *Words) Unwant(n *Narrowing) {
	for _, key := range n.keys {
		if at := w.at[key.name]; at != nil {
			if at.wants--; at.wants <= 0 {
				delete(w.at, key.name)
			}
		}
	}
}

// Read reads a payload, which must not change before the next call. Of a key that comes twice the last one counts.
func (w *Words) Read(payload []byte) {
	w.turn++
	if len(w.at) == 0 || kind(payload) != '{' {
		return
	}
	s := scan(payload)
	for m, ok := s.next(); ok; m, ok = s.next() {
		name, _ := text(m.key)
		if at := w.at[string(name)]; at != nil {
			at.value, at.turn = m.value, w.turn
		}
	}
}

// Pass reports whether a message passes n: one of the topic, and with the payload that was read last.
func (w *Words) Pass(n *Narrowing, topic string) bool {
	if n.topics != nil && !n.topics[topic] {
		return false
	}
	for _, key := range n.keys {
		at := w.at[key.name]
		if at == nil || at.turn != w.turn {
			return false
		}
		if w.spell = spelled(w.spell[:0], at.value); !key.values[string(w.spell)] {
			return false
		}
	}
	return true
}
