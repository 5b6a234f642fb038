package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// body is what a request has.
type body struct {
	messages []*envelope.Message
	list     []json.RawMessage // the same, as they came
	batch    bool              // they came as a list
}

// read reads a body of up to limit bytes within the time that it has. Setting is the one that sets limit.
func read(w *http.ResponseController, r *http.Request, l *Limits, limit int64, setting string, took func(n int64)) ([]byte, *problem) {
	tooBig := &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("body over %d bytes, see %s", limit, setting), setting: setting, cause: refusals.TooBig, counted: true, last: true}
	if r.ContentLength > limit {
		return nil, tooBig
	}
	_ = w.SetReadDeadline(time.Now().Add(l.BodyTimeout))
	raw, err := io.ReadAll(&metered{io.LimitReader(r.Body, limit+1), took})
	switch {
	case int64(len(raw)) > limit:
		return nil, tooBig
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &problem{status: http.StatusRequestTimeout, text: "no complete body in time, see http.body_timeout", setting: "http.body_timeout",
			cause: refusals.BodyTimeout, counted: true, last: true}
	case err != nil:
		return nil, &problem{status: http.StatusBadRequest, text: "the body cannot be read", last: true}
	}
	// The server sets a deadline of its own before the next request.
	_ = w.SetReadDeadline(time.Time{})
	return raw, nil
}

// metered is a reader that tells how many bytes were read.
type metered struct {
	io.Reader
	took func(n int64)
}

// Read implements io.Reader.
func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.took(int64(n))
	return n, err //nolint:wrapcheck // as it is
}

// isList reports whether a body is a list of messages.
func isList(raw []byte) bool {
	text := bytes.TrimLeft(raw, " \t\r\n")
	return len(text) > 0 && text[0] == '['
}

// elements returns how many elements a list has, and takes no memory for them. Of what is no JSON it returns any number.
func elements(list []byte) int {
	n, depth, some := 0, 0, false
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			for i++; i < len(list) && list[i] != '"'; i++ {
				if list[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			if depth++; depth == 1 {
				continue
			}
		case ']', '}':
			depth--
			continue
		case ',':
			if depth == 1 {
				n++
			}
			continue
		}
		some = true
	}
	if some {
		n++
	}
	return n
}

func tooMany(l *Limits) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("over %d messages, see http.batch", l.Batch), setting: "http.batch",
		cause: refusals.TooBig, counted: true, last: true}
}

// parse reads one message, or a list of them, of which the caller has counted the elements.
func parse(raw []byte, depth, keys int) (*body, *problem) {
	b := new(body)
	b.list = []json.RawMessage{raw}
	if isList(raw) {
		b.batch = true
		// The list itself must be JSON, and each message is read as one that comes through a socket.
		if err := json.Unmarshal(raw, &b.list); err != nil {
			return nil, &problem{status: http.StatusBadRequest, text: "the body is not JSON"}
		}
	}
	for i, one := range b.list {
		m := new(envelope.Message)
		err := m.Decode(one, depth, keys)
		switch {
		case err != nil:
			p := &problem{status: http.StatusBadRequest, text: fmt.Sprintf("message %d: %v", i+1, err)}
			switch {
			case errors.Is(err, envelope.ErrDepth):
				p.cause, p.setting, p.counted = refusals.Depth, "limits.depth", true
			case errors.Is(err, envelope.ErrKeys):
				p.cause, p.setting, p.counted = refusals.Keys, "limits.keys", true
			}
			return nil, p
		case m.Overflow:
			return nil, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("message %d: a number is larger than a float64 can hold", i+1)}
		}
		b.messages = append(b.messages, m)
	}
	return b, nil
}
