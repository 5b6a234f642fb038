package php

import (
	"math"
	"strings"
)

// parser is a recursive-descent parser for what PHP's var_export writes
// (protocol 4.4). It looks one token ahead and never goes back, so its time is
// linear in the size of the file. Whatever var_export cannot have written is an
// error: comments, variables, calls, arithmetic, a second statement. The only
// liberties are layout and short arrays without keys, for files written by hand.
type parser struct {
	text     string
	pos      int
	depth    int
	maxDepth int

	open   []Entry // of the arrays that are being read, the outermost first
	kept   []Entry // of arrays that have been read, many in one piece of memory
	arrays []Array // to be given out
}

// minInt stands for the literal -9223372036854775808, which var_export writes
// only as a key: as a value it would be a float.
type minInt struct{}

// Parse returns the value that a PHP file returns. Arrays and objects may be nested maxDepth deep:
// for a deeper one the error is a *DepthError. Every error gives the byte offset and at most one byte of the
// file, since what stands there may be a secret. The strings of the value share the memory of one copy of data.
func Parse(data []byte, maxDepth int) (any, error) {
	p := &parser{text: string(data), maxDepth: maxDepth}
	return p.file()
}

// file reads <?php return VALUE; and nothing else.
func (p *parser) file() (any, error) {
	if !p.take("<?php") || !isSpace(p.peek()) {
		return nil, p.fail(0, "want <?php and a blank")
	}
	p.space()
	if !p.word("return") {
		return nil, p.expected("return")
	}
	p.space()
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.take(";") {
		return nil, p.expected(`";"`)
	}
	p.space()
	if p.pos < len(p.text) {
		return nil, p.fail(p.pos, "want the end of the file after the final \";\"")
	}
	return value, nil
}

// value reads one value, which is not a key.
func (p *parser) value() (any, error) {
	value, err := p.term()
	if err != nil {
		return nil, err
	}
	return element(value), nil
}

// element returns what PHP makes of a term that is no key.
func element(term any) any {
	if _, ok := term.(minInt); ok {
		return float64(math.MinInt64)
	}
	return term
}

// term reads a value or a key.
func (p *parser) term() (any, error) {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return p.stringTerm()
	case c == '-' || isDigit(c):
		return p.number()
	case c == '[':
		p.pos++
		return p.array(']', true)
	case c == '(':
		return p.cast()
	case c == '\\':
		return p.classTerm()
	case isNameStart(c):
		return p.constant()
	default:
		return nil, p.expected("a value")
	}
}

// constant reads a word that is a value, or a long array.
func (p *parser) constant() (any, error) {
	start := p.pos
	name := p.name()
	switch name {
	case "array":
		return p.arrayBody(true)
	case "INF":
		return math.Inf(1), nil
	case "NAN":
		return math.NaN(), nil
	}
	switch {
	case strings.EqualFold(name, "true"):
		return true, nil
	case strings.EqualFold(name, "false"):
		return false, nil
	case strings.EqualFold(name, "null"):
		return nil, nil
	}
	return nil, p.fail(start, "want a value, got an unknown word")
}

// cast reads (object) array(...), the form of a stdClass.
func (p *parser) cast() (any, error) {
	p.pos++
	p.space()
	if !p.word("object") {
		return nil, p.expected("object")
	}
	p.space()
	if !p.take(")") {
		return nil, p.expected(`")"`)
	}
	p.space()
	if !p.word("array") {
		return nil, p.expected("array")
	}
	fields, err := p.arrayBody(false)
	if err != nil {
		return nil, err
	}
	return &Object{Array: *fields}, nil
}

// classTerm reads \Class::__set_state(array(...)) or \Enum::Case. The class is
// noted and never looked for.
func (p *parser) classTerm() (any, error) {
	class, err := p.class()
	if err != nil {
		return nil, err
	}
	if !p.take("::") {
		return nil, p.expected(`"::"`)
	}
	if !isNameStart(p.peek()) {
		return nil, p.expected("a name")
	}
	name := p.name()
	if name != "__set_state" {
		return EnumCase{Class: class, Name: name}, nil
	}
	p.space()
	if !p.take("(") {
		return nil, p.expected(`"("`)
	}
	p.space()
	if !p.word("array") {
		return nil, p.expected("array")
	}
	fields, err := p.arrayBody(false)
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.take(")") {
		return nil, p.expected(`")"`)
	}
	return &Object{Class: class, Array: *fields}, nil
}

// class reads a fully qualified class name, backslashes included.
func (p *parser) class() (string, error) {
	start := p.pos
	for p.take(`\`) {
		if !isNameStart(p.peek()) {
			return "", p.expected("a name")
		}
		p.name()
	}
	return p.text[start:p.pos], nil
}
