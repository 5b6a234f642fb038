package filter

import (
	"fmt"
	"strconv"
	"strings"

	"strowger/actors/envelope"
)

// noPolicy is the rule where there is none.
const noPolicy = "no policy"

// Explanation tells what one subscriber gets of one message, and why.
type Explanation struct {
	Verdict Verdict
	// Rule is the path of the rule that dropped the message and what it found; empty if delivered.
	Rule string
	// Scope names the scope that counts; empty if none does or the policy has no scopes.
	Scope string
	// Fields are the keys of the object, or the elements of the list, in order. Of a message that
	// was dropped before its payload was read there are none.
	Fields []Field
	// Payload is what the subscriber gets; nil if dropped.
	Payload []byte
	// Out is true if the subscriber gets no message at all, whatever it says.
	Out bool
	// Refused is what Refusal says of a request with the same topic and payload.
	Refused string
}

// Field tells what became of one key of an object or one element of a list.
type Field struct {
	Key  string // the key, or the element's index
	Kept bool
	// Rule is the path of the rule that decided; empty if there is none for this key.
	Rule string
}

// Explain does what Class, Apply and Refusal do for s, and tells which rule said what. Payload must be
// valid JSON, or nil for null.
func (f *Filter) Explain(s Subject, topic string, payload []byte) Explanation {
	e := f.explain(s, topic, payload)
	e.Refused = f.Refusal(s, envelope.QuoteString(topic), payload)
	return e
}

func (f *Filter) explain(s Subject, topic string, payload []byte) Explanation {
	var e Explanation
	if f == nil {
		e.Out, e.Rule = true, noPolicy
		return e
	}
	i, rule := f.admit(s)
	if i < 0 {
		e.Out, e.Rule = true, rule
		return e
	}
	e.Scope = f.name(i)
	c := f.Class(s)
	if c == (Class{}) {
		e.Out, e.Rule = true, e.Scope+": has no domain or extension of its own"
		return e
	}
	e.Payload, e.Verdict = f.apply(c, topic, payload, nil, &e)
	if e.Verdict == Drop {
		for i := range e.Fields {
			e.Fields[i].Kept = false
		}
	}
	return e
}

// name tells a scope's path, reach and permission.
func (f *Filter) name(i int) string {
	s := &f.scopes[i]
	if s.implied {
		return ""
	}
	if s.permission == "" {
		return fmt.Sprintf("scopes[%d] to %s", i, s.to)
	}
	return fmt.Sprintf("scopes[%d] to %s by %s", i, s.to, s.permission)
}

func (e *Explanation) field(f *Filter, key string, set int, ruled, kept bool) {
	rule := ""
	switch {
	case !ruled && !kept:
		rule = "keys: not allowed"
	case ruled && set == free:
		rule = "keys: allowed"
	case ruled:
		rule = "key_permissions." + key + ": any of " + strings.Join(f.sets[set].any, ", ")
	}
	e.Fields = append(e.Fields, Field{Key: key, Kept: kept, Rule: rule})
}

func (e *Explanation) element(i int, own, kept bool) {
	rule := ""
	switch {
	case !own:
		rule = e.Scope + ": foreign"
	case !kept:
		rule = "keys: a list has none"
	}
	e.Fields = append(e.Fields, Field{Key: strconv.Itoa(i), Kept: kept, Rule: rule})
}
