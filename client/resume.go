package client

import (
	"encoding/json"
	"sync"
	"time"
)

// ticketName is the name under which a ticket is presented, and ticketTopic that of the message with a fresh one
// (protocol 16).
const (
	ticketName  = "resume"
	ticketTopic = "ticket"
)

// tickets keeps the latest ticket of a link. The zero value has none.
type tickets struct {
	mu      sync.Mutex // Protects the rest.
	latest  string     // empty: there is none
	expires time.Time  // when the JWT does with which the link came first; zero: never, or nobody knows
}

// take returns the latest ticket, which is good once. It returns false if there is none.
func (t *tickets) take() (Token, time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.latest
	t.latest = ""
	return Token{Name: ticketName, Hash: text}, t.expires, text != ""
}

// admitted keeps the ticket of a 200, and when the token ends that was shown.
func (t *tickets) admitted(payload json.RawMessage, expires time.Time) {
	var said struct {
		Resume struct {
			Ticket string `json:"ticket"`
		} `json:"resume"`
	}
	_ = json.Unmarshal(payload, &said) // another payload has no ticket
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest, t.expires = said.Resume.Ticket, expires
}

// renewed keeps the ticket of a message that has nothing else.
func (t *tickets) renewed(payload json.RawMessage) {
	var said struct {
		Ticket string `json:"ticket"`
	}
	if json.Unmarshal(payload, &said) != nil || said.Ticket == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest = said.Ticket
}

// moved notes that a fresh JWT has moved the end.
func (t *tickets) moved(expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expires = expires
}
