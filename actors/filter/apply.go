package filter

import (
	"strings"

	"strowger/config/policy"
)

// Verdict is what becomes of a message.
type Verdict bool

// The verdicts.
const (
	Drop    Verdict = false
	Deliver Verdict = true
)

// String returns "deliver" or "drop".
func (v Verdict) String() string {
	if v == Deliver {
		return "deliver"
	}
	return "drop"
}

// Apply returns what the subjects of c get of the payload of a message, which is valid JSON or, for
// null, nil; or Drop if they get no message at all. If nothing is removed, out is payload itself
// and nothing is allocated; else it is written over dst, which is grown if it must be. An object
// of which no key is left is delivered as {}; bytes that are no JSON are dropped where a rule has
// to read them.
func (f *Filter) Apply(c Class, topic string, payload, dst []byte) (out []byte, v Verdict) {
	return f.apply(c, topic, payload, dst, nil)
}

// Lacking returns the rule that drops a message for c because the payload lacks the key that the rule goes by; empty
// if the message is delivered or dropped for another reason. It costs more than Apply.
func (f *Filter) Lacking(c Class, topic string, payload []byte) (rule string) {
	if c == (Class{}) || c.handle.Value().filter != f {
		return ""
	}
	e := Explanation{Scope: f.name(c.handle.Value().scope)}
	if _, v := f.apply(c, topic, payload, nil, &e); v == Deliver || !strings.HasSuffix(e.Rule, unseen.say()) {
		return ""
	}
	return e.Rule
}

// apply does the work of Apply and of Explain. With a trace it reads the payload even if no rule
// asks for it, so that all keys are told.
func (f *Filter) apply(c Class, topic string, payload, dst []byte, t *Explanation) ([]byte, Verdict) {
	if c == (Class{}) {
		return nil, Drop
	}
	r := run{class: c.handle.Value(), filter: f, topic: topic, trace: t}
	if r.class.filter != f {
		return nil, Drop
	}
	if set, ruled := f.topics[topic]; ruled && !r.class.granted(set) {
		return nil, r.drop("topic_permissions.", topic)
	}
	r.scope = &f.scopes[r.class.scope]
	if !r.class.cuts && f.events == nil && r.scope.to == policy.All && t == nil {
		return payload, Deliver
	}
	w := writer{src: payload, out: dst[:0]}
	switch kind(payload) {
	case '{':
		return w.result(r.object(&w))
	case '[':
		return w.result(r.list(&w))
	}
	return w.result(r.judge())
}

// writer copies the kept members of src, from the first one removed on.
type writer struct {
	src     []byte
	out     []byte
	kept    int // members kept
	end     int // where the last kept one ended
	removed bool
}

func (w *writer) keep(m member) {
	if w.removed {
		if w.kept > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, w.src[m.start:m.end]...)
	}
	w.kept++
	w.end = m.end
}

func (w *writer) remove() {
	if w.removed {
		return
	}
	w.removed = true
	if w.kept > 0 {
		w.out = append(w.out, w.src[:w.end]...)
		return
	}
	w.out = append(w.out, kind(w.src))
}

func (w *writer) result(v Verdict) ([]byte, Verdict) {
	switch {
	case v == Drop:
		return nil, Drop
	case !w.removed:
		return w.src, Deliver
	case kind(w.src) == '[':
		return append(w.out, ']'), Deliver
	}
	return append(w.out, '}'), Deliver
}
