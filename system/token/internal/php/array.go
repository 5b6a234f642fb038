package php

import "math"

// Most tokens have about so many arrays, and so many elements in all of them.
const (
	usualArrays  = 8
	usualEntries = 32
)

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
	begin := len(p.open)
	keys := keySet{}
	for {
		p.space()
		if p.peek() == closing {
			p.pos++
			return p.whole(begin), nil
		}
		if err := p.element(begin, &keys, canonical); err != nil {
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

// whole makes an array of the elements from begin on.
func (p *parser) whole(begin int) *Array {
	read := p.open[begin:]
	if cap(p.kept)-len(p.kept) < len(read) {
		p.kept = make([]Entry, 0, max(len(read), usualEntries))
	}
	from := len(p.kept)
	p.kept = append(p.kept, read...)
	p.open = p.open[:begin]
	if len(p.arrays) == 0 {
		p.arrays = make([]Array, usualArrays)
	}
	a := &p.arrays[0]
	p.arrays = p.arrays[1:]
	a.Entries = p.kept[from:len(p.kept):len(p.kept)]
	return a
}

// add adds an element to the array that is being read.
func (p *parser) add(k Key, value any) {
	if p.open == nil {
		p.open = make([]Entry, 0, usualEntries)
	}
	p.open = append(p.open, Entry{Key: k, Value: value})
}

// element reads KEY => VALUE, or VALUE alone, which gets the next int key, of the array whose elements begin at
// begin.
func (p *parser) element(begin int, keys *keySet, canonical bool) error {
	start := p.pos
	if c := p.peek(); c == '\'' || c == '"' {
		// Most keys are strings, which would have to be allocated to be any value.
		text, err := p.stringTerm()
		if err != nil {
			return err
		}
		p.space()
		if !p.take("=>") {
			return p.keyless(begin, keys, text, start)
		}
		return p.keyed(begin, keys, Key{Text: text}, start, canonical)
	}
	first, err := p.term()
	if err != nil {
		return err
	}
	p.space()
	if !p.take("=>") {
		return p.keyless(begin, keys, first, start)
	}
	written, ok := keyOf(first)
	if !ok {
		return p.fail(start, "want a string or an int as key, got "+TypeName(first))
	}
	return p.keyed(begin, keys, written, start, canonical)
}

// keyed reads the value that follows a key.
func (p *parser) keyed(begin int, keys *keySet, written Key, start int, canonical bool) error {
	asInArray := written.canonical()
	// PHP keeps the last of two equal keys. var_export never writes two, so
	// somebody else wrote this and meant one reader to see what another does not.
	if !keys.add(asInArray, p.open[begin:]) {
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
	p.add(written, value)
	return nil
}

// keyless adds a value under the int key PHP would choose.
func (p *parser) keyless(begin int, keys *keySet, value any, start int) error {
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
	keys.add(IntKey(next), p.open[begin:])
	p.add(IntKey(next), value)
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

// add notes k, which is about to join entries. It reports false for a key noted before.
func (s *keySet) add(k Key, entries []Entry) bool {
	if k.IsInt && (!s.hasInt || k.Number > s.maxInt) {
		s.hasInt, s.maxInt = true, k.Number
	} else if s.contains(k, entries) {
		return false
	}
	if s.seen != nil {
		s.seen[k] = struct{}{}
	}
	return true
}

// contains looks k up, and goes over to a map when the array has grown.
func (s *keySet) contains(k Key, entries []Entry) bool {
	if s.seen == nil && len(entries) >= smallArray {
		s.seen = make(map[Key]struct{}, 2*len(entries))
		for i := range entries {
			s.seen[entries[i].Key.canonical()] = struct{}{}
		}
	}
	if s.seen != nil {
		_, ok := s.seen[k]
		return ok
	}
	for i := range entries {
		if entries[i].Key.canonical() == k {
			return true
		}
	}
	return false
}

// quoteByte returns a printable byte in quotes.
func quoteByte(c byte) string { return `"` + string(rune(c)) + `"` }
