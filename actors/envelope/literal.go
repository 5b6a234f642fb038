package envelope

import (
	"math"
	"strconv"
)

func (s *scanner) literal(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return ErrSyntax
	}
	s.pos += len(word)
	return nil
}

// text moves past a string; the opening quote is at pos.
func (s *scanner) text() error {
	for i := s.pos + 1; i < len(s.data); {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return nil
		case c == '\\':
			n := escape(s.data[i:])
			if n == 0 {
				return ErrSyntax
			}
			i += n
		case c < ' ':
			return ErrSyntax
		default:
			i++
		}
	}
	return ErrSyntax
}

// escape returns the length of the escape sequence that b begins with, 0 if it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		return 0
	}
	r, ok := hex4(b)
	if !ok {
		return 0
	}
	if r < 0xD800 || r > 0xDFFF {
		return 6
	}
	if low, ok := hex4(b[6:]); r < 0xDC00 && ok && low >= 0xDC00 && low <= 0xDFFF {
		return 12
	}
	return 0
}

// hex4 returns the character of an escape such as \u00e4 at the beginning of b. ok is false if there is none.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	switch c := s.peek(); {
	case c == '0':
		s.pos++
	case '1' <= c && c <= '9':
		s.digits()
	default:
		return ErrSyntax
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return ErrSyntax
		}
	}
	exponent := false
	if c := s.peek(); c == 'e' || c == 'E' {
		exponent = true
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return ErrSyntax
		}
	}
	if exponent || s.pos-start > 300 {
		f, _ := strconv.ParseFloat(string(s.data[start:s.pos]), 64)
		s.overflow = s.overflow || math.IsInf(f, 0)
	}
	return nil
}

func (s *scanner) digits() (any bool) {
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
		any = true
	}
	return any
}
