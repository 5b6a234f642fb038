package filter

import (
	"bytes"

	"strowger/actors/envelope"
)

// member is one member of an object or one element of a list: data[start:end] of the scanned
// bytes, key (quoted, as written; nil in a list) and value being parts of it.
type member struct {
	key, value []byte
	start, end int
}

// scanner steps through the members of one object or list. It finds where valid JSON's members
// begin and end, without recursion or allocation; it does not check what is inside a value.
type scanner struct {
	data  []byte
	pos   int
	close byte // what ends the container, 0 once it was read
	begun bool
	done  bool // the container was read to its end, and nothing followed
}

// kind returns the first byte of a JSON value, or 0 if there is none.
func kind(data []byte) byte {
	s := scanner{data: data}
	return s.peek()
}

// scan begins with the object or list that data is; for anything else there is no member.
func scan(data []byte) scanner {
	s := scanner{data: data}
	switch s.peek() {
	case '{':
		s.close = '}'
	case '[':
		s.close = ']'
	default:
		return s
	}
	s.pos++
	return s
}

// next returns the next member. It is false at the end, and if data is not JSON, in which case
// done stays false.
func (s *scanner) next() (m member, ok bool) {
	if s.close == 0 {
		return m, false
	}
	c := s.peek()
	if c == s.close {
		s.pos++
		s.peek()
		s.done = s.pos == len(s.data)
		s.close = 0
		return m, false
	}
	if s.begun {
		if c != ',' {
			return m, false
		}
		s.pos++
		s.peek()
	}
	s.begun = true
	m.start = s.pos
	if s.close == '}' {
		if s.peek() != '"' || !s.text() {
			return m, false
		}
		m.key = s.data[m.start:s.pos]
		if s.peek() != ':' {
			return m, false
		}
		s.pos++
		s.peek()
	}
	from := s.pos
	if !s.value() {
		return m, false
	}
	m.end = s.pos
	m.value = s.data[from:s.pos]
	return m, true
}

// peek moves past white space and returns what comes then, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// value moves past one value.
func (s *scanner) value() bool {
	switch s.peek() {
	case '"':
		return s.text()
	case '{', '[':
		return s.nested()
	}
	from := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return s.pos > from
		}
	}
	return s.pos > from
}

func (s *scanner) nested() bool {
	for depth := 0; s.pos < len(s.data); {
		switch s.data[s.pos] {
		case '"':
			if !s.text() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.pos++
		if depth == 0 {
			return true
		}
	}
	return false
}

// text moves past the string that begins here.
func (s *scanner) text() bool {
	for i := s.pos + 1; i < len(s.data); {
		n := bytes.IndexByte(s.data[i:], '"')
		if n < 0 {
			return false
		}
		i += n
		escapes := 0
		for s.data[i-1-escapes] == '\\' {
			escapes++
		}
		i++
		if escapes%2 == 0 {
			s.pos = i
			return true
		}
	}
	return false
}

// text returns what a JSON string says. It is false for anything else. It allocates only for a
// string with escapes.
func text(raw []byte) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	// A valid string with an escape is never empty; an empty one is not JSON.
	s, _ := envelope.Text(raw)
	return []byte(s), s != ""
}
