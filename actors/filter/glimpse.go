package filter

import (
	"bytes"

	"strowger/config/policy"
)

// Glimpse is what a payload says of whose message it is, read once for all classes. Most messages are foreign to most
// classes, which a Glimpse tells without reading the payload again. Its words share the payload's memory.
type Glimpse struct {
	filter *Filter
	owners [glimpsed]word // by scope
}

// glimpsed is how many scopes a Glimpse has. Policies have fewer as a rule; of the classes of other scopes it says nothing.
const glimpsed = 4

// word is the value of the first occurrence of the first carrier of a scope.
type word struct {
	seen bool
	ok   bool // it is a string
	text []byte
}

// Glimpse reads the payload of a message as far as it must.
func (f *Filter) Glimpse(payload []byte) Glimpse {
	g := Glimpse{filter: f}
	if f == nil || kind(payload) != '{' {
		return g
	}
	scopes := f.scopes[:min(len(f.scopes), glimpsed)]
	missing := 0
	for i := range scopes {
		if scopes[i].leads() {
			missing++
		}
	}
	s := scan(payload)
	for missing > 0 {
		m, ok := s.next()
		if !ok {
			break
		}
		key, ok := text(m.key)
		if !ok {
			break
		}
		for i := range scopes {
			if w := &g.owners[i]; !w.seen && scopes[i].leads() && string(key) == scopes[i].keys[0].name {
				if w.see(m.value, scopes[i].keys[0].after); w.seen {
					missing--
				}
			}
		}
	}
	return g
}

// see notes a value, as run.own does.
func (w *word) see(value []byte, after bool) {
	w.text, w.ok = text(value)
	if after {
		at := bytes.LastIndexByte(w.text, '@')
		if at < 0 {
			return
		}
		w.text = w.text[at+1:]
	}
	w.seen = true
}

// leads reports whether the first carrier of the scope decides by itself where it does not match: see run.lost.
func (s *scope) leads() bool { return s.to != policy.All && len(s.keys) > 0 }

// Foreign reports whether Apply would drop the message for the class. A result of false says nothing: the caller must
// call Apply.
func (g *Glimpse) Foreign(c Class) bool {
	if c == (Class{}) {
		return true
	}
	of := c.handle.Value()
	if of.filter != g.filter || of.scope >= glimpsed {
		return false
	}
	w, s := &g.owners[of.scope], &g.filter.scopes[of.scope]
	return w.seen && !(w.ok && (of.owns(s.to, w.text) || accepted(s.accept, w.text)))
}
