package filter

import (
	"reflect"
	"slices"

	"strowger/config/policy"
)

// PresenceTopic is the topic under which subjects ask, and are told, who watches a service.
const PresenceTopic = "presence"

// Presence reports whether subjects may be told who watches the service.
func (f *Filter) Presence() bool { return f != nil && len(f.presence) > 0 }

// Alike reports whether two filters do the same, as far as their policies are written alike. It is slow.
func (f *Filter) Alike(o *Filter) bool { return reflect.DeepEqual(f, o) }

// Onlooker says what the subjects of one class are told of who watches a service. It never changes.
type Onlooker struct {
	class  class
	to     policy.Reach
	fields []string
}

// Onlooker returns what the subjects of c are told. It returns false if they are told nothing.
func (f *Filter) Onlooker(c Class) (Onlooker, bool) {
	if !f.Presence() || c == (Class{}) {
		return Onlooker{}, false
	}
	o := Onlooker{class: c.handle.Value()}
	if o.class.filter != f {
		return Onlooker{}, false
	}
	if set, ruled := f.topics[PresenceTopic]; ruled && !o.class.granted(set) {
		return Onlooker{}, false
	}
	o.to = f.scopes[o.class.scope].to
	for _, field := range f.presence {
		// A key that only stands in keys is free, and one that stands nowhere is too: the policy tells it in presence.
		if set, ruled := f.keys[field]; !ruled || o.class.granted(set) {
			o.fields = append(o.fields, field)
		}
	}
	return o, true
}

// Fields returns what is told of each. The caller does not change it.
func (o *Onlooker) Fields() []string { return o.fields }

// Sees reports whether the subjects are told that who watches the service. What belongs to every domain in messages
// (policy.Scope.Accept) is no domain here.
func (o *Onlooker) Sees(who *Subject) bool {
	switch o.to {
	case policy.All:
		return true
	case policy.Domain:
		return who.Domain != "" && who.Domain == o.class.value
	case policy.Extensions:
		return slices.ContainsFunc(who.Extensions, func(e string) bool { return o.class.owns(policy.Extensions, []byte(e)) })
	default:
		return false
	}
}
