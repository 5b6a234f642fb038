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

// admitted keeps the ticket of a 200. It returns what the 200 says of requests.
func (t *tickets) admitted(payload json.RawMessage) (requests json.RawMessage) {
	var said struct {
		Resume struct {
			Ticket   string          `json:"ticket"`
			Requests json.RawMessage `json:"requests"`
		} `json:"resume"`
	}
	_ = json.Unmarshal(payload, &said) // another payload has no ticket
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest = said.Resume.Ticket
	if t.latest == "" {
		return nil
	}
	return said.Resume.Requests
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

// moved notes the end of the token that was shown last, or of the fresh JWT.
func (t *tickets) moved(expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expires = expires
}

// keeping is what a socket knows of requests that outlive a socket. The 200 sets the first two.
type keeping struct {
	keeps bool                // the router keeps open requests when this socket is lost
	open  map[string]struct{} // ids of requests over earlier sockets that go on over this one

	followed chan struct{} // closed once it is known what follows the socket
	next     *socket       // the one after it; nil: there is none. Set before followed is closed
}

// take takes what the 200 says of requests; nil: nothing.
func (k *keeping) take(requests json.RawMessage) {
	var ids []any
	k.keeps = requests != nil && json.Unmarshal(requests, &ids) == nil
	k.open = make(map[string]struct{}, len(ids))
	for _, id := range ids {
		if id, ok := id.(string); ok {
			k.open[id] = struct{}{}
		}
	}
}

// follow says what follows the socket, once.
func (k *keeping) follow(next *socket) {
	k.next = next
	close(k.followed)
}

// over returns a channel that is closed once it is known what becomes of requests under way over the socket, which is
// ending.
func (s *socket) over() <-chan struct{} {
	if s.keeps {
		return s.followed
	}
	return s.ending
}

// after returns the socket over which a request goes on after the one on which it was; nil if it is lost. The caller has
// waited for over.
func (s *socket) after(id string) *socket {
	if !s.keeps || s.next == nil {
		return nil
	}
	if _, open := s.next.open[id]; !open {
		return nil
	}
	return s.next
}
