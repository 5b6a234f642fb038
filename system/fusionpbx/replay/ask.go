package replay

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"strowger/actors/envelope"
)

// Ask adds a request of a client at that time of the recording, and returns its id.
func (s *Scenario) Ask(t testing.TB, at time.Duration, client, service, topic string, payload any) (id string) {
	t.Helper()
	c, ok := s.Clients[client]
	if !ok {
		t.Fatalf("no client %q", client)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	id = "asked-" + strconv.Itoa(len(s.Lines))
	e := &envelope.Envelope{ServiceName: envelope.QuoteString(service), Topic: envelope.QuoteString(topic), Payload: body, RequestID: envelope.QuoteString(id),
		ResourceID: envelope.QuoteString(c.ResourceID), DomainName: envelope.QuoteString(c.Domain)}
	m, err := newMessage(e.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	s.Lines = append(s.Lines, Line{At: at, Service: service, Client: client, Message: m})
	slices.SortStableFunc(s.Lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	return id
}

// Replies returns what the service said to a request.
func (r *Result) Replies(id string) []Message {
	var found []Message
	for i := range r.Said {
		if m := &r.Said[i]; !m.IsPush() && m.RequestID == id {
			found = append(found, *m)
		}
	}
	return found
}
