package envelope

import (
	"errors"
	"unicode/utf8"
)

// Reasons why a message is not taken for an envelope. A peer gets no answer to such a message.
var (
	// ErrSyntax means the bytes are not JSON (RFC 8259), or hold a lone surrogate.
	ErrSyntax = errors.New("not JSON")
	// ErrUTF8 means the bytes are not UTF-8.
	ErrUTF8 = errors.New("not UTF-8")
	// ErrDepth means objects and lists are nested deeper than the limit.
	ErrDepth = errors.New("nested too deeply")
	// ErrKeys means the object has more keys than the limit.
	ErrKeys = errors.New("too many keys")
	// ErrNotObject means the bytes are JSON, but not an object.
	ErrNotObject = errors.New("not a JSON object")
	// ErrEmpty means the object has no keys.
	ErrEmpty = errors.New("empty object")
)

// MaxDepth is the deepest nesting any caller can ask for.
const MaxDepth = 1024

// scanner checks JSON in one pass and without recursion, so a hostile message costs neither
// stack nor more than linear time.
type scanner struct {
	data  []byte
	pos   int
	depth int // containers open now
	max   int // containers that may be open
	// overflow is set once a number was seen that no float64 can hold.
	overflow bool
	// kinds has a bit for each open container, set for an object.
	kinds [MaxDepth / 64]uint64
}

// fields calls visit for each key of the object that data is, in the order written; key is the
// text between the quotes, as written, and value the raw JSON. Both point into data. The capacity of value is
// its length, so appending to it does not change data. After so many keys there may be no more, unless keys is 0.
func fields(data []byte, depth, keys int, visit func(key, value []byte)) (overflow bool, err error) {
	if !utf8.Valid(data) {
		return false, ErrUTF8
	}
	s := scanner{data: data, max: min(depth, MaxDepth)}
	s.space()
	if s.peek() != '{' {
		if err := s.value(); err != nil {
			return false, err
		}
		return false, s.end(ErrNotObject)
	}
	s.pos++
	s.depth = 1
	if s.depth > s.max {
		return false, ErrDepth
	}
	s.space()
	if s.peek() == '}' {
		s.pos++
		return false, s.end(ErrEmpty)
	}
	for n := 1; ; n++ {
		key, err := s.key()
		if err != nil {
			return false, err
		}
		if n > keys && keys > 0 {
			return false, ErrKeys
		}
		s.space()
		start := s.pos
		if err := s.value(); err != nil {
			return false, err
		}
		visit(key, data[start:s.pos:s.pos])
		s.space()
		switch s.next() {
		case ',':
		case '}':
			return s.overflow, s.end(nil)
		default:
			return false, ErrSyntax
		}
	}
}

// end returns then if nothing but white space is left.
func (s *scanner) end(then error) error {
	s.space()
	if s.pos != len(s.data) {
		return ErrSyntax
	}
	return then
}

func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) next() byte {
	if s.pos < len(s.data) {
		s.pos++
		return s.data[s.pos-1]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// key reads `"key" :` and returns what stands between the quotes.
func (s *scanner) key() ([]byte, error) {
	s.space()
	if s.peek() != '"' {
		return nil, ErrSyntax
	}
	start := s.pos + 1
	if err := s.text(); err != nil {
		return nil, err
	}
	key := s.data[start : s.pos-1]
	s.space()
	if s.next() != ':' {
		return nil, ErrSyntax
	}
	return key, nil
}

// value moves past one JSON value of any nesting.
func (s *scanner) value() error {
	base := s.depth
	for {
		opened, err := s.begin()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		for {
			if s.depth == base {
				return nil
			}
			more, err := s.after()
			if err != nil {
				return err
			}
			if more {
				break
			}
		}
	}
}

// begin reads a scalar, an empty container or the opening of one that holds something.
func (s *scanner) begin() (opened bool, err error) {
	s.space()
	switch c := s.peek(); c {
	case '{', '[':
		return s.open(c == '{')
	case '"':
		return false, s.text()
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	default:
		return false, s.number()
	}
}

func (s *scanner) open(object bool) (opened bool, err error) {
	if s.depth >= s.max {
		return false, ErrDepth
	}
	s.pos++
	s.space()
	closing := byte(']')
	if object {
		closing = '}'
	}
	if s.peek() == closing {
		s.pos++
		return false, nil
	}
	word, bit := s.depth/64, uint(s.depth%64)
	s.kinds[word] &^= 1 << bit
	if object {
		s.kinds[word] |= 1 << bit
	}
	s.depth++
	if object {
		_, err = s.key()
	}
	return true, err
}

// after reads what follows a value inside a container; more is true when another value comes.
func (s *scanner) after() (more bool, err error) {
	top := s.depth - 1
	object := s.kinds[top/64]>>uint(top%64)&1 == 1
	s.space()
	switch c := s.next(); {
	case c == ',':
		if object {
			_, err = s.key()
		}
		return true, err
	case object && c == '}', !object && c == ']':
		s.depth--
		return false, nil
	default:
		return false, ErrSyntax
	}
}
