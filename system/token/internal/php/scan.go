package php

import (
	"fmt"
	"strings"
)

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// take steps over literal if it comes next.
func (p *parser) take(literal string) bool {
	if !strings.HasPrefix(p.text[p.pos:], literal) {
		return false
	}
	p.pos += len(literal)
	return true
}

// word steps over the whole word if it comes next.
func (p *parser) word(word string) bool {
	end := p.pos + len(word)
	if !strings.HasPrefix(p.text[p.pos:], word) || end < len(p.text) && isNamePart(p.text[end]) {
		return false
	}
	p.pos = end
	return true
}

// name steps over a name and returns it.
func (p *parser) name() string {
	start := p.pos
	for p.pos < len(p.text) && isNamePart(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// space steps over what PHP counts as blank.
func (p *parser) space() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

// expected says what should stand here, and what kind of thing does: one byte
// at most, since what follows may be the hash.
func (p *parser) expected(what string) error {
	if p.pos >= len(p.text) {
		return p.fail(p.pos, "want "+what+", got the end of the file")
	}
	return p.fail(p.pos, fmt.Sprintf("want %s, got %q", what, p.text[p.pos:p.pos+1]))
}

// fail returns an error at an offset.
func (p *parser) fail(offset int, reason string) error {
	return fmt.Errorf("offset %d: %s", offset, reason)
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }
