package web

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// answer is what a request gets.
type answer struct {
	status int
	text   []byte // JSON
}

// problem is why a request gets no answer of a service.
type problem struct {
	status  int
	text    string
	setting string         // the one that decides; empty: none
	cause   refusals.Cause // Handshake: the actors or nobody counts it
	counted bool           // it is logged and counted by its cause
	last    bool           // the connection ends, because it is of no more use or what follows cannot be read
	after   time.Duration  // how long to wait before the next attempt
}

var originRefused = &problem{status: http.StatusForbidden, text: "origin not allowed, see listen.origins", cause: refusals.Origin, counted: true}

// json returns the problem as the body of an answer.
func (p *problem) json() []byte { return short(p.status, p.text) }

// short returns an answer of the door itself.
func short(status int, text string) []byte {
	return fmt.Appendf(nil, `{"status_code":%d,"status_string":%s}`, status, envelope.QuoteString(text))
}

// refuse answers a request with what is wrong.
func (h *Handler) refuse(w http.ResponseWriter, s *Session, p *problem) {
	if p.counted {
		more := []any{"status", p.status, "reason", p.text}
		h.deps.Refusals().Add(refusals.Event{Cause: p.cause, Kind: p.text, Setting: p.setting, Remote: s.from().String(), More: more})
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(max(p.after+time.Second-1, time.Second)/time.Second), 10))
	}
	if p.last {
		w.Header().Set("Connection", "close")
	}
	if l := h.limits(); l != nil {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(l.WriteTimeout))
	}
	send(w, p.status, p.json())
}

// write writes an answer.
func write(w http.ResponseWriter, l *Limits, a *answer) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(l.WriteTimeout))
	send(w, a.status, a.text)
}

func send(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(text) // not appended to: another request may get the same text
	_, _ = w.Write([]byte{'\n'})
}

// statusOf returns the HTTP status of an envelope: its own where it is one of an answer with a body, and 200 otherwise.
func statusOf(e *envelope.Envelope) int {
	status, err := strconv.Atoi(string(bytes.Trim(e.StatusCode, `"`)))
	switch {
	case err != nil || status < 200 || status > 599:
		return http.StatusOK
	case status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified:
		return http.StatusOK // the envelope would be lost
	}
	return status
}

// rest fills in what is wrong with the messages of a list that have no answer, and returns the answer to all of them. If none
// has an answer, or the body is no list, p itself is the answer.
func (b *body) rest(all []*answer, p *problem) (*answer, *problem) {
	if p == nil {
		return b.join(all), nil
	}
	answered := func(a *answer) bool { return a != nil }
	if !b.batch || !slices.ContainsFunc(all, answered) {
		return nil, p
	}
	b.fail(all, 0, p)
	return b.join(all), nil
}

// fail answers the messages from one on that have no answer.
func (b *body) fail(all []*answer, from int, p *problem) {
	for i := from; i < len(all); i++ {
		if all[i] == nil {
			all[i] = encode(envelope.Status{Code: p.status, Text: p.text}.Answer(&b.messages[i].Envelope))
		}
	}
}

// join returns the answers to the messages of a body. A list has one status for all, because each of its elements has its
// own.
func (b *body) join(all []*answer) *answer {
	if !b.batch {
		return all[0]
	}
	text := []byte{'['}
	for i, a := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, a.text...)
	}
	return &answer{http.StatusOK, append(text, ']')}
}
