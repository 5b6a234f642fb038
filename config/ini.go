package config

import (
	"bytes"
	"errors"
	"fmt"
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
	bare := scanBare(p.restOfLine())
	if bare.open {
		// To PHP this can be the beginning of a text that ends lines away.
		return entry, &Error{Line: entry.line, Msg: "has a quote, or a $ at its end, in a value without quotes around it"}
	}
	entry.value, entry.err = bare.meaning()
	return entry, nil
}

// bareText is a value without quotes.
type bareText struct {
	text     string
	special  byte // the first character that does not stand for itself; 0: there is none
	variable bool // it has ${
	open     bool // PHP would go on reading it in the next line
}

// scanBare reads a value without quotes from a line. A $ and the character after it stand for
// themselves, whatever that character is, but for ${.
func scanBare(line string) bareText {
	var bare bareText
	end, literal := 0, 0 // of the value; of its last word
	for i := 0; i < len(line) && line[i] != ';'; end = i {
		switch c := line[i]; {
		case strings.HasPrefix(line[i:], "${"):
			bare.variable = true
			i += 2
		case c == '"' || c == '\'':
			bare.open = true
			i++
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

var errInterpolation = errors.New("has ${, which stands for a variable; that is not supported")

// meaning returns what PHP makes of the value.
func (b bareText) meaning() (string, error) {
	if b.variable {
		return "", errInterpolation
	}
	if b.special != 0 {
		return "", fmt.Errorf("has %c outside of quotes, put the whole value in double quotes", b.special)
	}
	switch strings.ToLower(b.text) {
	case "true", "on", "yes":
		return "1", nil
	case "false", "off", "no", "none", "null":
		return "", nil
	}
	return b.text, nil
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
