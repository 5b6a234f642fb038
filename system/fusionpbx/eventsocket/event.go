package eventsocket

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Event is one event of the switch. It is immutable, so that several subscriptions can share it.
// Its strings share memory: whoever keeps one for long clones it.
type Event struct {
	headers []header
	text    string // the values one after the other, then the body
	// Body is the text after the headers. It is empty for most events. It is as the switch sent it, but
	// bytes that are not UTF-8 are taken for Latin-1 and converted.
	Body string
	// Truncated is true if the event ended within its headers or its body.
	Truncated bool
	size      int
}

// header is the name of a header and the offset in Event.text at which its value ends. The value begins where the one before
// it ends.
type header struct {
	name string
	end  int
}

// Name returns the value of Event-Name, such as CHANNEL_CREATE or CUSTOM.
func (e *Event) Name() string { return e.Get("Event-Name") }

// Get returns the value of the header, or "" if there is none or if no subscription keeps it. If a header occurs more than once,
// the last counts. Upper and lower case are the same in names.
func (e *Event) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// Lookup is Get, and reports whether the header is there.
func (e *Event) Lookup(name string) (string, bool) {
	for i := len(e.headers) - 1; i >= 0; i-- {
		if h := &e.headers[i]; len(h.name) == len(name) && strings.EqualFold(h.name, name) {
			return e.value(i), true
		}
	}
	return "", false
}

func (e *Event) value(i int) string {
	begin := 0
	if i > 0 {
		begin = e.headers[i-1].end
	}
	return e.text[begin:e.headers[i].end]
}

// All returns the headers in the order of the event. Values are decoded.
func (e *Event) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range e.headers {
			if !yield(e.headers[i].name, e.value(i)) {
				return
			}
		}
	}
}

// Len returns the number of headers that are kept.
func (e *Event) Len() int { return len(e.headers) }

// ParseEvent reads an event as it stands in the body of a text/event-plain message, or in a file. It returns an error
// if there are no headers or more than 4096.
func ParseEvent(body []byte) (*Event, error) {
	p := eventParser{maxHeaders: 4096}
	return p.parse(body, nil)
}

// eventParser parses events and keeps its buffers for the next one.
type eventParser struct {
	maxHeaders int
	names      names
	text       []byte
	headers    []header
}

// parse reads the body of a text/event-plain message. It copies the headers that are of interest; nil means all.
func (p *eventParser) parse(body []byte, of *interest) (*Event, error) {
	p.names.begin(of)
	p.text, p.headers = p.text[:0], p.headers[:0]
	event := &Event{size: len(body), Truncated: true}
	rest, length, headers := body, 0, 0
	for len(rest) > 0 {
		line, after, whole := cutLine(rest)
		rest = after
		if len(line) == 0 {
			event.Truncated = !whole
			break
		}
		name, text, ok := p.names.split(line)
		if !ok {
			continue
		}
		if headers++; headers > p.maxHeaders {
			return nil, fmt.Errorf("event with more than %d headers: %w", p.maxHeaders, ErrTooLarge)
		}
		if name.length {
			length, _ = parseLength(bytes.TrimSpace(text))
		}
		if !name.needed {
			continue
		}
		p.text = appendDecoded(p.text, bytes.TrimSpace(text))
		p.headers = append(p.headers, header{name.text, len(p.text)})
	}
	if headers == 0 {
		return nil, fmt.Errorf("event without headers: %w", errFraming)
	}
	values := len(p.text)
	p.appendBody(event, rest, length)
	event.headers, event.text = slices.Clone(p.headers), string(p.text)
	event.Body = event.text[values:]
	return event, nil
}

func (p *eventParser) appendBody(event *Event, rest []byte, length int) {
	if length > len(rest) {
		event.Truncated = true
		length = len(rest)
	}
	p.text = toUTF8(append(p.text, rest[:length]...), len(p.text))
}

// cutLine returns the first line without its line ending, and the text after it. whole reports whether there was a line
// ending.
func cutLine(text []byte) (line, after []byte, whole bool) {
	line = text
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		line, after, whole = text[:i], text[i+1:], true
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, after, whole
}

// splitHeader cuts the line at its first colon. ok is false if there is no colon or no name.
func splitHeader(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte{':'})
	name = bytes.TrimSpace(name)
	return name, bytes.TrimSpace(value), ok && len(name) > 0
}

// parseLength returns the value of a Content-Length header. ok is false unless it is a number that is
// not negative.
func parseLength(value []byte) (n int, ok bool) {
	n, err := strconv.Atoi(string(value))
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

func equalFold(b []byte, s string) bool {
	return len(b) == len(s) && strings.EqualFold(string(b), s)
}

// appendDecoded appends the value with its percent codes decoded. What is not a percent code stays as
// it is; so does "+", which the switch encodes. The result is valid UTF-8.
func appendDecoded(dst, value []byte) []byte {
	start := len(dst)
	for len(value) > 0 {
		i := bytes.IndexByte(value, '%')
		if i < 0 {
			break
		}
		dst = append(dst, value[:i]...)
		value = value[i:]
		if len(value) >= 3 && isHex(value[1]) && isHex(value[2]) {
			dst = append(dst, unhex(value[1])<<4|unhex(value[2]))
			value = value[3:]
			continue
		}
		dst = append(dst, '%')
		value = value[1:]
	}
	return toUTF8(append(dst, value...), start)
}

func unhex(b byte) byte {
	switch {
	case b <= '9':
		return b - '0'
	case b <= 'F':
		return b - 'A' + 10
	default:
		return b - 'a' + 10
	}
}

// toUTF8 takes each byte of b[start:] that is not part of valid UTF-8 for a character of Latin-1. Phones
// send such names; those that are valid UTF-8 must not change.
func toUTF8(b []byte, start int) []byte {
	if utf8.Valid(b[start:]) {
		return b
	}
	old := bytes.Clone(b[start:])
	b = b[:start]
	for len(old) > 0 {
		r, size := utf8.DecodeRune(old)
		if r == utf8.RuneError && size == 1 {
			r = rune(old[0])
		}
		b = utf8.AppendRune(b, r)
		old = old[size:]
	}
	return b
}
