package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// iniEntry is one "key = value" of a file in the syntax of PHP's parse_ini_file.
type iniEntry struct {
	value string
	line  int
	// err says why PHP would not take the value for what it looks like. It
	// matters only to who uses the value: the rest of the file is not ours.
	err error
}

// ini reads a file in the syntax of PHP's parse_ini_file. What it returns for
// an entry without err is what PHP returns, except that it knows none of
// PHP's constants; and it takes lines with # for comments, as they are meant.
type ini struct {
	text    string // what is left to read
	line    int
	entries map[string]iniEntry
}

const iniBlanks = " \t"

// iniSpecial finds what does not stand for itself in a value without quotes.
var iniSpecial = regexp.MustCompile(`[=|&^~!()]|\$\W`)

// parseINI returns the last entry of every key; section headers count for
// nothing. The error has the line and neither source nor key.
func parseINI(data []byte) (map[string]iniEntry, *Error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, &Error{Line: 1 + bytes.Count(data[:i], []byte("\n")), Msg: "has a NUL byte"}
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	p := &ini{text: text, line: 1, entries: map[string]iniEntry{}}
	for p.text != "" {
		if problem := p.next(); problem != nil {
			return nil, problem
		}
	}
	return p.entries, nil
}

// next reads one line, or several when a quoted value spans them.
func (p *ini) next() *Error {
	p.text = strings.TrimLeft(p.text, iniBlanks)
	if p.text == "" {
		return nil
	}
	switch p.text[0] {
	case '\r', '\n', ';', '#':
		p.restOfLine()
		return nil
	case '[':
		return p.header()
	}
	return p.entry()
}

func (p *ini) header() *Error {
	line := p.line
	header := p.restOfLine()
	_, rest, closed := strings.Cut(header, "]")
	if !closed {
		return &Error{Line: line, Msg: "section has no closing ]"}
	}
	if !isComment(rest) {
		return &Error{Line: line, Msg: "has text after the section's ]"}
	}
	return nil
}

func (p *ini) entry() *Error {
	end := strings.IndexAny(p.text, "=;\r\n")
	if end < 0 {
		end = len(p.text)
	}
	name := strings.TrimRight(p.text[:end], iniBlanks)
	if strings.ContainsAny(name, `"'`) {
		return &Error{Line: p.line, Msg: "has a quote where a key should be"}
	}
	if !strings.HasPrefix(p.text[end:], "=") {
		p.restOfLine() // a key without a value is no setting
		return nil
	}
	if name == "" {
		return &Error{Line: p.line, Msg: "has a value without a key"}
	}
	p.text = strings.TrimLeft(p.text[end+1:], iniBlanks)
	entry, problem := p.value()
	if problem == nil {
		p.entries[name] = entry
	}
	return problem
}

// value reads what stands behind the = of an entry, and the rest of the line.
func (p *ini) value() (entry iniEntry, problem *Error) {
	entry.line = p.line
	if p.text != "" && (p.text[0] == '"' || p.text[0] == '\'') {
		closed := false
		if entry.value, closed, entry.err = p.quoted(); !closed {
			return entry, &Error{Line: entry.line, Msg: "quote is never closed"}
		}
		if !isComment(p.restOfLine()) {
			return entry, &Error{Line: entry.line, Msg: "has text after the closing quote"}
		}
		return entry, nil
	}
	text, _, _ := strings.Cut(p.restOfLine(), ";")
	text = strings.Trim(text, iniBlanks)
	if strings.ContainsAny(text, `"'`) || strings.HasSuffix(text, "$") {
		// To PHP this can be the beginning of a text that ends lines away.
		return entry, &Error{Line: entry.line, Msg: "has a quote, or a $ at its end, in a value without quotes around it"}
	}
	entry.value, entry.err = bareValue(text)
	return entry, nil
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

var errInterpolation = errors.New("has ${, which stands for a variable; that is not supported")

// bareValue returns what PHP makes of a value without quotes.
func bareValue(value string) (string, error) {
	if strings.Contains(value, "${") {
		return "", errInterpolation
	}
	if special := iniSpecial.FindString(value); special != "" {
		return "", fmt.Errorf("has %c outside of quotes, put the whole value in double quotes", special[0])
	}
	switch strings.ToLower(value) {
	case "true", "on", "yes":
		return "1", nil
	case "false", "off", "no", "none", "null":
		return "", nil
	}
	return value, nil
}

// isComment tells whether the rest of a line says nothing.
func isComment(rest string) bool {
	rest = strings.TrimLeft(rest, iniBlanks)
	return rest == "" || rest[0] == ';'
}

// restOfLine reads up to and over the end of the line and returns what was
// before it.
func (p *ini) restOfLine() string {
	end := strings.IndexAny(p.text, "\r\n")
	if end < 0 {
		end = len(p.text)
	}
	rest := p.text[:end]
	after := end
	switch {
	case strings.HasPrefix(p.text[end:], "\r\n"):
		after += 2
	case end < len(p.text):
		after++
	}
	p.advance(after)
	return rest
}

// advance drops n bytes of the text and counts the lines that end in them.
func (p *ini) advance(n int) {
	gone := p.text[:n]
	p.line += strings.Count(gone, "\n") + strings.Count(gone, "\r") - strings.Count(gone, "\r\n")
	p.text = p.text[n:]
}
