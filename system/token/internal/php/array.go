package php

import "math"

// usualEntries is how many elements most arrays of a token have room for at once.
const usualEntries = 6

// arrayBody reads the parenthesised part of array (...).
func (p *parser) arrayBody(canonical bool) (*Array, error) {
	p.space()
	if !p.take("(") {
		return nil, p.expected(`"("`)
	}
	return p.array(')', canonical)
}

// array reads elements up to the closing byte; the opening one has been read.
// With canonical, string keys that are integers become ints, as in an array;
// without, they are kept as written, as in an object.
func (p *parser) array(closing byte, canonical bool) (*Array, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > p.maxDepth {
		return nil, &DepthError{Offset: p.pos - 1}
	}
	a := &Array{Entries: make([]Entry, 0, usualEntries)}
	keys := &keySet{}
	for {
		p.space()
		if p.peek() == closing {
			p.pos++
			return a, nil
		}
		if err := p.element(a, keys, canonical); err != nil {
			return nil, err
		}
		p.space()
		if p.take(",") {
			continue
		}
		if p.peek() != closing {
			return nil, p.expected(`"," or ` + quoteByte(closing))
		}
	}
}

// element reads KEY => VALUE, or VALUE alone, which gets the next int key.
func (p *parser) element(a *Array, keys *keySet, canonical bool) error {
	start := p.pos
	if c := p.peek(); c == '\'' || c == '"' {
		// Most keys are strings, which would have to be allocated to be any value.
		text, err := p.stringTerm()
		if err != nil {
			return err
		}
		p.space()
		if !p.take("=>") {
			return p.keyless(a, keys, text, start)
		}
		return p.keyed(a, keys, Key{Text: text}, start, canonical)
	}
	first, err := p.term()
	if err != nil {
		return err
	}
	p.space()
	if !p.take("=>") {
		return p.keyless(a, keys, first, start)
	}
	written, ok := keyOf(first)
	if !ok {
		return p.fail(start, "want a string or an int as key, got "+TypeName(first))
	}
	return p.keyed(a, keys, written, start, canonical)
}

// keyed reads the value that follows a key.
func (p *parser) keyed(a *Array, keys *keySet, written Key, start int, canonical bool) error {
	asInArray := written.canonical()
	// PHP keeps the last of two equal keys. var_export never writes two, so
	// somebody else wrote this and meant one reader to see what another does not.
	if !keys.add(asInArray, a) {
		return p.fail(start, "duplicate key")
	}
	if canonical {
		written = asInArray
	}
	p.space()
	value, err := p.value()
	if err != nil {
		return err
	}
	a.Append(written, value)
	return nil
}

// keyless adds a value under the int key PHP would choose.
func (p *parser) keyless(a *Array, keys *keySet, value any, start int) error {
	value = element(value)
	// After a negative key PHP went on with 0 before 8.3 and counts up since.
	if keys.hasInt && keys.maxInt < 0 {
		return p.fail(start, "want a key after a negative one")
	}
	next := int64(0)
	if keys.hasInt {
		if keys.maxInt == math.MaxInt64 {
			return p.fail(start, "no int key left")
		}
		next = keys.maxInt + 1
	}
	keys.add(IntKey(next), a)
	a.Append(IntKey(next), value)
	return nil
}

// keyOf returns the key a term that is no string makes.
func keyOf(term any) (Key, bool) {
	switch term := term.(type) {
	case int64:
		return IntKey(term), true
	case minInt:
		return IntKey(math.MinInt64), true
	default:
		return Key{}, false
	}
}

// smallArray is up to how many entries looking at each one is cheaper than a map.
const smallArray = 12

// keySet finds duplicate keys while an array is read.
type keySet struct {
	seen   map[Key]struct{} // Nil while the array is small.
	hasInt bool
	maxInt int64
}

// add notes k, which is about to join a. It reports false for a key noted before.
func (s *keySet) add(k Key, a *Array) bool {
	if k.IsInt && (!s.hasInt || k.Number > s.maxInt) {
		s.hasInt, s.maxInt = true, k.Number
	} else if s.contains(k, a) {
		return false
	}
	if s.seen != nil {
		s.seen[k] = struct{}{}
	}
	return true
}

// contains looks k up, and goes over to a map when the array has grown.
func (s *keySet) contains(k Key, a *Array) bool {
	if s.seen == nil && len(a.Entries) >= smallArray {
		s.seen = make(map[Key]struct{}, 2*len(a.Entries))
		for i := range a.Entries {
			s.seen[a.Entries[i].Key.canonical()] = struct{}{}
		}
	}
	if s.seen != nil {
		_, ok := s.seen[k]
		return ok
	}
	for i := range a.Entries {
		if a.Entries[i].Key.canonical() == k {
			return true
		}
	}
	return false
}

// quoteByte returns a printable byte in quotes.
func quoteByte(c byte) string { return `"` + string(rune(c)) + `"` }
