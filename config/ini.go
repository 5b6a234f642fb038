package config

import (
	"bytes"
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
// an entry without err is what PHP returns. An entry has an err where PHP would
// compute the value: of constants, operators, variables or several parts. Lines
// with # are comments, as they are meant.
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

// header skips a section's name, which may have quotes. What follows it is read like a line of its own.
func (p *ini) header() *Error {
	quote := byte(0)
	for i := 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ']':
			p.advance(i + 1)
			return nil
		case c == '\r' || c == '\n':
			return &Error{Line: p.line, Msg: "section has no closing ]"}
		}
	}
	return &Error{Line: p.line, Msg: "section has no closing ]"}
}

func (p *ini) entry() *Error {
	end := strings.IndexAny(p.text, "=;\r\n")
	if end < 0 {
		end = len(p.text)
	}
	name := strings.TrimRight(p.text[:end], iniBlanks)
	if strings.Contains(name, `"`) {
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
