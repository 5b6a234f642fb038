package filter

import (
	"bytes"
	"slices"
	"strings"

	"strowger/config/policy"
)

// sighting is what the occurrences of a key came to.
type sighting uint8

const (
	unseen sighting = iota
	good
	bad // one occurrence at least
)

func (s *sighting) see(ok bool) {
	switch {
	case !ok:
		*s = bad
	case *s == unseen:
		*s = good
	}
}

func (s sighting) say() string {
	if s == unseen {
		return " is absent"
	}
	return " does not match"
}

// run is the judgement of one message for one class.
type run struct {
	filter *Filter
	class  class
	scope  *scope
	topic  string
	trace  *Explanation // nil: nobody asks why

	event  sighting // of event_name, by events
	exempt sighting // of event_name, by absent.events
	owner  owner
}

// owner follows the carriers of one object: the first in the scope's order decides.
type owner struct {
	sighting
	rank int
}

func (o *owner) see(rank int, ok bool) {
	if o.sighting == unseen || rank < o.rank {
		o.rank, o.sighting = rank, unseen
	}
	if rank == o.rank {
		o.sighting.see(ok)
	}
}

func (r *run) object(w *writer) Verdict {
	s := scan(w.src)
	for m, ok := s.next(); ok; m, ok = s.next() {
		key, ok := text(m.key)
		if !ok {
			return r.drop("not JSON")
		}
		if r.filter.readsEvent && string(key) == EventKey {
			r.seeEvent(m.value)
		}
		r.own(&r.owner, r.scope.keys, r.scope.accept, key, m.value)
		if r.lost() {
			return Drop
		}
		if r.keeps(key) {
			w.keep(m)
		} else {
			w.remove()
		}
	}
	if !s.done {
		return r.drop("not JSON")
	}
	return r.judge()
}

// lost reports whether nothing that may follow can save the message. Most messages are foreign to
// most classes, and then most of the payload need not be read.
func (r *run) lost() bool {
	return r.trace == nil && (r.event == bad && r.filter.events != nil ||
		r.owner.sighting == bad && r.owner.rank == 0 && r.scope.to != policy.All)
}

func (r *run) seeEvent(value []byte) {
	name, ok := text(value)
	r.event.see(ok && (r.filter.events == nil || r.filter.events[string(name)]))
	r.exempt.see(ok && r.filter.absent.events[string(name)])
}

// own looks whether key is a carrier and, if it is, whether value is the class's own.
func (r *run) own(o *owner, carriers []carrier, accept []string, key, value []byte) {
	for rank, c := range carriers {
		if string(key) != c.name {
			continue
		}
		word, ok := text(value)
		if c.after {
			at := bytes.LastIndexByte(word, '@')
			if at < 0 {
				return
			}
			word = word[at+1:]
		}
		o.see(rank, ok && (r.class.owns(r.scope.to, word) || accepted(accept, word)))
		return
	}
}

func accepted(accept []string, word []byte) bool {
	return slices.ContainsFunc(accept, func(a string) bool { return a == string(word) })
}

func (r *run) keeps(key []byte) bool {
	set, ruled := r.filter.keys[string(key)]
	kept := !r.filter.listed
	if ruled {
		kept = r.class.granted(set)
	}
	if r.trace != nil {
		r.trace.field(r.filter, string(key), set, ruled, kept)
	}
	return kept
}

// judge decides on the message once its keys were seen; of a payload that is no object, none are.
func (r *run) judge() Verdict {
	if r.filter.events != nil && !r.passes(r.event, unseen) {
		return r.drop("events: ", EventKey, r.event.say())
	}
	if r.scope.to != policy.All && !r.passes(r.owner.sighting, r.exempt) {
		return r.dropScope(" the key that tells whose it is", r.owner.say())
	}
	return Deliver
}

// passes applies a key's sighting, and the rule for absent keys.
func (r *run) passes(s, exempt sighting) bool {
	a := &r.filter.absent
	return s == good || s == unseen && (a.pass || exempt == good || a.topics[r.topic])
}

// drop notes the rule, of which the parts are put together only if somebody asks why.
func (r *run) drop(rule ...string) Verdict {
	if r.trace != nil {
		r.trace.Rule = strings.Join(rule, "")
	}
	return Drop
}

func (r *run) dropScope(found ...string) Verdict {
	if r.trace != nil {
		r.trace.Rule = r.trace.Scope + ":" + strings.Join(found, "")
	}
	return Drop
}

// list judges each element of a list for itself.
func (r *run) list(w *writer) Verdict {
	elements := len(r.scope.listKeys) > 0
	if elements {
		r.owner.sighting = good
	}
	if v := r.judge(); v == Drop {
		return Drop
	}
	own, total := 0, 0
	s := scan(w.src)
	for m, ok := s.next(); ok; m, ok = s.next() {
		mine := !elements || r.element(m.value)
		if mine {
			own++
		}
		kept := mine && !r.filter.listed
		if r.trace != nil {
			r.trace.element(total, mine, kept)
		}
		total++
		if kept {
			w.keep(m)
		} else {
			w.remove()
		}
	}
	switch {
	case !s.done:
		return r.drop("not JSON")
	case total > 0 && own == 0 && !r.filter.absent.topics[r.topic] && !r.filter.absent.lists[r.topic]:
		return r.dropScope(" all elements are foreign")
	}
	return Deliver
}

// element reports whether an element of a list is the class's own.
func (r *run) element(value []byte) bool {
	var o owner
	if kind(value) == '{' {
		s := scan(value)
		for m, ok := s.next(); ok; m, ok = s.next() {
			key, ok := text(m.key)
			if !ok {
				return false
			}
			r.own(&o, r.scope.listKeys, nil, key, m.value)
		}
		if !s.done {
			return false
		}
	}
	return r.passes(o.sighting, unseen)
}
