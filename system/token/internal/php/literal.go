package php

import (
	"math"
	"strconv"
	"strings"
)

// stringTerm reads quoted strings joined by dots: var_export breaks a string
// at every NUL byte.
func (p *parser) stringTerm() (string, error) {
	text, err := p.quoted()
	if err != nil {
		return "", err
	}
	var joined []byte
	for {
		end := p.pos
		p.space()
		if !p.take(".") {
			p.pos = end
			break
		}
		p.space()
		part, err := p.quoted()
		if err != nil {
			return "", err
		}
		if joined == nil {
			joined = []byte(text)
		}
		joined = append(joined, part...)
	}
	if joined != nil {
		return string(joined), nil
	}
	return text, nil
}

// quoted reads one quoted string.
func (p *parser) quoted() (string, error) {
	switch p.peek() {
	case '\'':
		p.pos++
		return p.singleQuoted()
	case '"':
		p.pos++
		return p.doubleQuoted()
	default:
		return "", p.expected("a quoted string")
	}
}

// singleQuoted reads up to the closing quote. Only \\ and \' are escapes; any
// other backslash stands for itself, as in PHP.
func (p *parser) singleQuoted() (string, error) {
	start := p.pos
	// Most have no backslash, and to look for one byte is much quicker than for one of two.
	if i := strings.IndexByte(p.text[start:], '\''); i >= 0 && strings.IndexByte(p.text[start:start+i], '\\') < 0 {
		p.pos = start + i + 1
		return p.text[start : start+i], nil
	}
	var plain []byte
	for {
		i := strings.IndexAny(p.text[p.pos:], `'\`)
		if i < 0 {
			return "", p.fail(start-1, "string is not closed")
		}
		end := p.pos + i
		if p.text[end] == '\'' {
			segment := p.text[p.pos:end]
			p.pos = end + 1
			if plain == nil {
				return segment, nil
			}
			return string(append(plain, segment...)), nil
		}
		plain = append(plain, p.text[p.pos:end]...)
		p.pos = end + 1
		if c := p.peek(); c == '\'' || c == '\\' {
			plain = append(plain, c)
			p.pos++
		} else {
			plain = append(plain, '\\')
		}
	}
}

// doubleQuoted reads the only content var_export puts in double quotes: \0.
func (p *parser) doubleQuoted() (string, error) {
	start := p.pos
	for p.take(`\0`) {
	}
	if !p.take(`"`) {
		return "", p.expected(`\0 or the closing double quote`)
	}
	return strings.Repeat("\x00", (p.pos-1-start)/len(`\0`)), nil
}

// number reads an int or a float as var_export prints it.
func (p *parser) number() (any, error) {
	start := p.pos
	negative := p.take("-")
	if negative && p.word("INF") {
		return math.Inf(-1), nil
	}
	if err := p.digits(); err != nil {
		return nil, err
	}
	whole := p.text[start:p.pos]
	digits := strings.TrimPrefix(whole, "-")
	if len(digits) > 1 && digits[0] == '0' {
		return nil, p.fail(start, "number with a leading zero")
	}
	if p.take(".") {
		return p.fraction(start)
	}
	if c := p.peek(); isNamePart(c) {
		return nil, p.expected("the end of a number")
	}
	return p.integer(whole)
}

// integer makes an int of its digits, or a float where they are too many. The smallest one has no literal in PHP,
// so var_export writes a subtraction.
func (p *parser) integer(whole string) (any, error) {
	if whole == "-9223372036854775808" {
		return minInt{}, nil
	}
	number, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return p.float(whole), nil // as PHP reads it
	}
	if number == -math.MaxInt64 && p.take("-1") {
		if c := p.peek(); c == '.' || isNamePart(c) {
			return nil, p.expected("the end of a number")
		}
		return int64(math.MinInt64), nil
	}
	return number, nil
}

// fraction reads what follows the point of a float that begins at start.
func (p *parser) fraction(start int) (any, error) {
	if err := p.digits(); err != nil {
		return nil, err
	}
	if p.take("E") {
		if !p.take("+") && !p.take("-") {
			return nil, p.expected("the sign of an exponent")
		}
		if err := p.digits(); err != nil {
			return nil, err
		}
	}
	if c := p.peek(); c == '.' || isNamePart(c) {
		return nil, p.expected("the end of a number")
	}
	return p.float(p.text[start:p.pos]), nil
}

// float makes a float of a number that is well formed. One that is too large is infinite, as in PHP.
func (p *parser) float(text string) float64 {
	number, _ := strconv.ParseFloat(text, 64)
	return number
}

// digits steps over at least one digit.
func (p *parser) digits() error {
	if !isDigit(p.peek()) {
		return p.expected("a digit")
	}
	for isDigit(p.peek()) {
		p.pos++
	}
	return nil
}
