package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Filter says which broadcasts of a service a client wants: those that have one of the topics and all of the keys
// (docs/protocol.md, section 15).
type Filter struct {
	// Topics are those that pass. Empty means all.
	Topics []string `json:"topics,omitempty"`
	// Keys are keys at the top level of the payload, each with the values of which it must have one: texts, numbers, true,
	// false and nil.
	Keys map[string][]any `json:"keys,omitempty"`
}

// check says what is wrong with a filter.
func (f *Filter) check() error {
	if len(f.Topics) == 0 && len(f.Keys) == 0 {
		return errors.New("names neither a topic nor a key")
	}
	for key, values := range f.Keys {
		if len(values) == 0 {
			return fmt.Errorf("key %q has no value", key)
		}
		for _, value := range values {
			text, err := json.Marshal(value)
			if err != nil || text[0] == '{' || text[0] == '[' {
				return fmt.Errorf("key %q takes texts, numbers, true, false and nil, not a %T", key, value)
			}
		}
	}
	return nil
}

// passes reports whether a broadcast passes, by the rules of the router.
func (f *Filter) passes(topic string, payload json.RawMessage) bool {
	if len(f.Topics) > 0 && !slices.Contains(f.Topics, topic) {
		return false
	}
	if len(f.Keys) == 0 {
		return true
	}
	var said map[string]json.RawMessage
	if json.Unmarshal(payload, &said) != nil {
		return false
	}
	for key, values := range f.Keys {
		got, there := said[key]
		if !there || !slices.ContainsFunc(values, func(want any) bool { return same(got, want) }) {
			return false
		}
	}
	return true
}

// same compares a value in JSON with one that was asked for. Numbers are compared as they are written, and texts without
// their escapes.
func same(got json.RawMessage, want any) bool {
	text, err := json.Marshal(want)
	if err != nil {
		return false // check has refused it
	}
	if got[0] != '"' || text[0] != '"' {
		return string(got) == string(text)
	}
	var a, b string
	return json.Unmarshal(got, &a) == nil && json.Unmarshal(text, &b) == nil && a == b
}
