package eventsocket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// kind is what the Content-Type of a message says.
type kind int

const (
	kindUnknown kind = iota
	kindAuthRequest
	kindReply
	kindAPI
	kindEvent
	kindDisconnect
	kindRejection
)

// message is one message of the switch. body is valid until the next one is read.
type message struct {
	kind     kind
	reply    string // Reply-Text
	job      string // Job-UUID
	linger   bool   // Content-Disposition: linger
	body     []byte
	tooLarge bool // the body was skipped

	length    int
	lengthBad bool
}

// stream cuts what the switch sends into messages.
type stream struct {
	r      *bufio.Reader
	opts   *Options
	body   []byte // kept for the next message
	begun  func() // called when the first byte of a message has come
	bytes  uint64
	odd    uint64 // messages with an unknown type, and lines or lengths that make no sense
	bare   bool   // an event had no usable length: its headers come next
	block  []byte // the bytes of the head, if bare
	tooBig bool   // the head is larger than block may be
}

func newStream(r io.Reader, opts *Options) *stream {
	return &stream{r: bufio.NewReaderSize(r, maxLine), opts: opts, begun: func() {}}
}

// next returns the next message whose type is known. It skips others. After an error other than a timeout
// in front of a message the stream is of no use.
func (s *stream) next() (message, error) {
	for {
		m, err := s.head()
		if err != nil {
			return m, err
		}
		if s.bare {
			s.bare = false
			if bytes.HasPrefix(s.block, []byte("Event-Name:")) || bytes.Contains(s.block, []byte("\nEvent-Name:")) {
				return s.bareEvent(m)
			}
		}
		switch {
		case m.lengthBad && m.kind == kindEvent:
			s.odd++
			s.bare = true
			continue
		case m.lengthBad:
			return m, fmt.Errorf("content length of a reply: %w", errFraming)
		}
		if err := s.readBody(&m); err != nil {
			return m, err
		}
		if m.kind != kindUnknown {
			return m, nil
		}
		s.odd++
	}
}

// head reads up to the blank line after the headers. Blank lines in front belong to no message.
func (s *stream) head() (message, error) {
	var m message
	s.block, s.tooBig = s.block[:0], false
	lines, size := 0, 0
	for {
		line, n, err := s.line(lines > 0)
		if err != nil {
			return m, err
		}
		size += n
		if size > s.opts.MaxSkip {
			return m, fmt.Errorf("head of a message: %w", ErrTooLarge)
		}
		if n <= 2 && len(line) == 0 {
			if lines > 0 {
				return m, nil
			}
			continue
		}
		if lines == 0 {
			s.begun()
		}
		lines++
		s.keep(line)
		if lines <= s.opts.MaxHeaders || bytes.HasPrefix(line, []byte("Content-")) {
			m.add(line)
		}
	}
}

// line returns the next line without its end, and how many bytes it took. A line that is too long is
// skipped and returned as empty.
func (s *stream) line(within bool) ([]byte, int, error) {
	line, err := s.r.ReadSlice('\n')
	n := len(line)
	if err == nil && n <= s.opts.MaxLine {
		s.bytes += uint64(n)
		return bytes.TrimRight(line, "\r\n"), n, nil
	}
	s.odd++
	s.tooBig = true
	for errors.Is(err, bufio.ErrBufferFull) && n <= s.opts.MaxSkip {
		line, err = s.r.ReadSlice('\n')
		n += len(line)
	}
	s.bytes += uint64(n)
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, n, nil // head gives up
	}
	if err == io.EOF && (n > 0 || within) {
		err = io.ErrUnexpectedEOF
	}
	return nil, n, err
}

// keep collects the head while it may turn out to be the headers of an event.
func (s *stream) keep(line []byte) {
	if !s.bare {
		return
	}
	if len(s.block)+len(line) >= s.opts.MaxEvent {
		s.tooBig = true
		return
	}
	s.block = append(append(s.block, line...), '\n')
}

// bareEvent returns the event whose headers are in block. An event without a usable outer length ends with
// the body that its own headers announce, so it can be read without losing the place.
func (s *stream) bareEvent(m message) (message, error) {
	tooLarge := s.tooBig
	head := append(bytes.Clone(s.block), '\n')
	m = message{kind: kindEvent, length: m.length}
	if err := s.readBody(&m); err != nil {
		return m, err
	}
	m.tooLarge = m.tooLarge || tooLarge
	m.body = append(head, m.body...)
	return m, nil
}

func (s *stream) readBody(m *message) error {
	m.body = nil
	if m.length == 0 {
		return nil
	}
	limit := s.opts.MaxBody
	if m.kind == kindEvent {
		limit = s.opts.MaxEvent
	}
	if m.length > limit {
		return s.skip(m)
	}
	if cap(s.body) < m.length || cap(s.body) > 1<<20 {
		s.body = make([]byte, m.length)
	}
	m.body = s.body[:m.length]
	n, err := io.ReadFull(s.r, m.body)
	s.bytes += uint64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (s *stream) skip(m *message) error {
	if m.length > s.opts.MaxSkip {
		return fmt.Errorf("body of %d bytes: %w", m.length, ErrTooLarge)
	}
	m.tooLarge = true
	n, err := s.r.Discard(m.length)
	s.bytes += uint64(n)
	return err
}

// add takes what is needed from one header line.
func (m *message) add(line []byte) {
	name, value, ok := splitHeader(line)
	if !ok {
		return
	}
	switch {
	case equalFold(name, "Content-Length"):
		m.length, ok = parseLength(value)
		m.lengthBad = !ok
	case equalFold(name, "Content-Type"):
		m.kind = kindOf(string(value))
	case equalFold(name, "Reply-Text"):
		m.reply = string(toUTF8(bytes.Clone(value), 0))
	case equalFold(name, "Job-UUID"):
		m.job = string(value)
	case equalFold(name, "Content-Disposition"):
		m.linger = equalFold(value, "linger")
	}
}

func kindOf(contentType string) kind {
	switch strings.ToLower(contentType) {
	case "auth/request":
		return kindAuthRequest
	case "command/reply":
		return kindReply
	case "api/response":
		return kindAPI
	case "text/event-plain":
		return kindEvent
	case "text/disconnect-notice":
		return kindDisconnect
	case "text/rude-rejection", "rude/rejection": // old switches say the second
		return kindRejection
	default:
		return kindUnknown
	}
}
