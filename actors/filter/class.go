package filter

import (
	"slices"
	"strings"
	"unique"

	"strowger/config/policy"
)

// Subject is what a filter must know of a subscriber.
type Subject struct {
	Permissions []string // sorted
	Domain      string
	Extensions  []string // user@context, in any order
}

func (s Subject) has(permission string) bool {
	_, found := slices.BinarySearch(s.Permissions, permission)
	return found
}

func (s Subject) hasAny(permissions []string) bool { return slices.ContainsFunc(permissions, s.has) }

// Class stands for all subjects to whom one filter gives the same. It is compared with == and may
// be the key of a map. The zero Class gets nothing, whatever the filter; so does a class of
// another filter than the one that is asked.
type Class struct{ handle unique.Handle[class] }

// class is what tells one class of a filter from another.
type class struct {
	filter *Filter
	scope  int    // index of the first scope with the same limits
	value  string // the domain; or extensions, sorted, each ending in a separator
	grants string // a bit for each of the filter's permission sets
	cuts   bool   // some key may have to go
}

// separator ends an extension in class.value. No extension holds it.
const separator = "\n"

// Class returns the class of s. Subjects differ in class only by what matters to the policy: the
// scope that counts, the domain or extensions where that scope asks for them, and which of the
// policy's permission rules they satisfy.
func (f *Filter) Class(s Subject) Class {
	if f == nil {
		return Class{}
	}
	i, _ := f.admit(s)
	if i < 0 {
		return Class{}
	}
	c := class{filter: f, scope: f.canonical(i), cuts: f.listed}
	switch f.scopes[i].to {
	case policy.Domain:
		c.value = s.Domain
	case policy.Extensions:
		c.value = join(s.Extensions)
	}
	if c.value == "" && f.empty(i) {
		return Class{}
	}
	bits := make([]byte, (len(f.sets)+7)/8)
	for j, set := range f.sets {
		if s.hasAny(set.any) {
			bits[j/8] |= 1 << (j % 8)
		} else if set.ofKey {
			c.cuts = true
		}
	}
	c.grants = string(bits)
	return Class{unique.Make(c)}
}

// admit returns the index of the scope that counts for s, or -1 and the rule that keeps s out.
func (f *Filter) admit(s Subject) (scope int, rule string) {
	if len(f.scopes) == 0 {
		return -1, noPolicy
	}
	if len(f.require) > 0 && !s.hasAny(f.require) {
		return -1, "require: has none of " + strings.Join(f.require, ", ")
	}
	for i, sc := range f.scopes {
		if sc.permission != "" && !s.has(sc.permission) {
			continue
		}
		if sc.to == policy.None {
			return -1, f.name(i)
		}
		return i, ""
	}
	return -1, "scopes: has the permission of none"
}

// canonical returns the first scope with the limits of scope i.
func (f *Filter) canonical(i int) int {
	same := func(s scope) bool {
		t := f.scopes[i]
		return s.to == t.to && slices.Equal(s.keys, t.keys) && slices.Equal(s.listKeys, t.listKeys) && slices.Equal(s.accept, t.accept)
	}
	return slices.IndexFunc(f.scopes, same)
}

// empty reports whether scope i lets nothing pass to a subject without a domain or extensions. An
// empty list is nobody's and everybody's, so a scope with list keys is never empty.
func (f *Filter) empty(i int) bool {
	s, a := &f.scopes[i], &f.absent
	return s.to != policy.All && len(s.accept)+len(s.listKeys)+len(a.events)+len(a.topics) == 0 && !a.pass
}

func (c *class) granted(set int) bool { return set == free || c.grants[set/8]&(1<<(set%8)) != 0 }

// owns reports whether the value of a carrier names what the class is limited to.
func (c *class) owns(to policy.Reach, value []byte) bool {
	if len(value) == 0 {
		return false
	}
	if to == policy.Domain {
		return string(value) == c.value
	}
	for rest := c.value; rest != ""; {
		var extension string
		extension, rest, _ = strings.Cut(rest, separator)
		if string(value) == extension {
			return true
		}
	}
	return false
}

func join(extensions []string) string {
	var b strings.Builder
	for _, extension := range slices.Compact(slices.Sorted(slices.Values(extensions))) {
		if extension != "" && !strings.Contains(extension, separator) {
			b.WriteString(extension + separator)
		}
	}
	return b.String()
}
