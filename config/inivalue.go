package config

import (
	"errors"
	"fmt"
	"strings"
)

// Why a value is not what it looks like.
var (
	errInterpolation = errors.New("has ${, which stands for a variable; that is not supported")
	errParts         = errors.New("has text before or behind quotes, put the whole value in double quotes")
	errOpen          = errors.New("has a quote that is never closed")
)

// value reads what stands behind the = of an entry, and the rest of the line. PHP joins the parts of a value that
// has several, quoted or not.
func (p *ini) value() (entry iniEntry, problem *Error) {
	entry.line = p.line
	for parts := 0; ; parts++ {
		p.text = strings.TrimLeft(p.text, iniBlanks)
		if p.text == "" || strings.IndexByte("\r\n;", p.text[0]) >= 0 {
			p.restOfLine()
			return entry, nil
		}
		part, problem := p.part(parts == 0)
		if problem != nil {
			return entry, problem
		}
		entry.value += part.value
		if parts > 0 && part.err == nil {
			part.err = errParts
		}
		if entry.err == nil {
			entry.err = part.err
		}
	}
}

// part reads one part of a value. One that is not the first may not take other entries into its quotes: to PHP it
// can, but nobody means that.
func (p *ini) part(first bool) (part iniEntry, problem *Error) {
	line, before := p.line, p.text
	if before[0] != '"' && before[0] != '\'' {
		return p.bare()
	}
	closed := false
	if part.value, closed, part.err = p.quoted(); !closed {
		// PHP takes an apostrophe for the beginning of a text that has the rest of the file.
		if first || before[0] == '"' || strings.Contains(before, "=") {
			return part, &Error{Line: line, Msg: "quote is never closed"}
		}
		p.advance(len(p.text))
		return iniEntry{err: errOpen}, nil
	}
	if p.line > line && !first && strings.Contains(part.value, "=") {
		return part, &Error{Line: line, Msg: "has a quote that is not closed in its line, in a value that does not begin with it"}
	}
	return part, nil
}

// bare reads a part without quotes.
func (p *ini) bare() (part iniEntry, problem *Error) {
	end := strings.IndexAny(p.text, "\r\n")
	if end < 0 {
		end = len(p.text)
	}
	bare := scanBare(p.text[:end])
	if bare.open {
		// To PHP this can be the beginning of a text that ends lines away.
		return part, &Error{Line: p.line, Msg: "has a $ at its end, in a value without quotes around it"}
	}
	p.advance(bare.length)
	part.value, part.err = bare.meaning()
	return part, nil
}

// bareText is a value without quotes.
type bareText struct {
	text     string
	length   int  // with the blanks behind it
	special  byte // the first character that does not stand for itself; 0: there is none
	variable bool // it has ${
	open     bool // PHP would go on reading it in the next line
}

// scanBare reads a value without quotes from a line. It ends before a comment or a quote. A $ and the character after it stand for
// themselves, whatever that character is, but for ${.
func scanBare(line string) bareText {
	var bare bareText
	end, literal := 0, 0 // of the value; of its last word
	for i := 0; i < len(line) && strings.IndexByte(`;"'`, line[i]) < 0; end = i {
		switch c := line[i]; {
		case strings.HasPrefix(line[i:], "${"):
			bare.variable = true
			i += 2
		case strings.IndexByte(iniBlanks+iniSpecial, c) >= 0:
			if bare.special == 0 && strings.IndexByte(iniSpecial, c) >= 0 {
				bare.special = c
			}
			i++
		default:
			n, open := word(line[i:])
			bare.open = bare.open || open
			i += n
			literal = i
		}
	}
	bare.length = end
	bare.text = line[:literal] + strings.TrimRight(line[literal:end], iniBlanks)
	return bare
}

// iniSpecial are the characters that PHP computes with in a value without quotes.
const iniSpecial = "=|&^~!()"

// word returns the length of the longest run of characters that stand for themselves. A $ makes the next
// character one of them, or a \ and the character after it; PHP takes the reading that gets furthest.
// open tells that one gets into the next line.
func word(text string) (length int, open bool) {
	reached := make([]bool, len(text)+4)
	reached[0] = true
	for i, c := range []byte(text) {
		switch {
		case !reached[i]:
			continue
		case c != '$':
			reached[i+1] = strings.IndexByte(iniBlanks+iniSpecial+";\"'", c) < 0 || reached[i+1]
		case !strings.HasPrefix(text[i:], "${"):
			reached[i+2] = true
			reached[i+3] = reached[i+3] || strings.HasPrefix(text[i:], `$\`)
		}
	}
	for i, there := range reached {
		if there {
			length = i
		}
	}
	return min(length, len(text)), length > len(text)
}

// quoted reads a value up to its closing quote, which may be lines away.
// Only double quotes know escapes, and only those of themselves, of \ and of $.
func (p *ini) quoted() (value string, closed bool, err error) {
	quote := p.text[0]
	var text strings.Builder
	for i := 1; i < len(p.text); i++ {
		c := p.text[i]
		switch {
		case c == quote:
			if quote == '"' && strings.Contains(p.text[:i], "${") {
				err = errInterpolation
			}
			p.advance(i + 1)
			return text.String(), true, err
		case c == '\\' && quote == '"' && isEscaped(p.text[i+1:]):
			i++
			text.WriteByte(p.text[i])
		default:
			text.WriteByte(c)
		}
	}
	return "", false, nil
}

// isEscaped tells whether a \ makes a plain character of what follows it.
// A quote at the end of a line is not one: PHP ends the value there.
func isEscaped(text string) bool {
	if strings.HasPrefix(text, `"`) {
		return len(text) > 1 && text[1] != '\r' && text[1] != '\n'
	}
	return strings.HasPrefix(text, `\`) || strings.HasPrefix(text, "$")
}

// meaning returns what PHP makes of the value.
func (b bareText) meaning() (string, error) {
	if b.variable {
		return "", errInterpolation
	}
	if b.special != 0 {
		return "", fmt.Errorf("has %c outside of quotes, put the whole value in double quotes", b.special)
	}
	if name := constantIn(b.text); name != "" {
		return "", fmt.Errorf("has %s, a constant of PHP, outside of quotes; write its value, or put it in double quotes if it is a text", name)
	}
	switch strings.ToLower(b.text) {
	case "true", "on", "yes":
		return "1", nil
	case "false", "off", "no", "none", "null":
		return "", nil
	}
	return b.text, nil
}
