package servicetest

import (
	"encoding/json"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// patience is how long a test waits for what must happen; only a test that fails takes that long.
const patience = time.Minute

// What every Caller's token says.
const (
	Permission = "servicetest_view"
	DomainName = "servicetest.example.com"
	DomainUUID = "5e1f7e57-0000-4000-8000-000000000000"
)

// Home is where a service runs while a test talks to it.
type Home interface {
	// Call returns a new subscriber of the service, whose token has Permission and the domain.
	Call(t *testing.T) Caller
	// Stop stops the service in order and returns when nothing of it runs. The end of the test
	// does the same.
	Stop(t *testing.T)
}

// Caller is one subscriber. It is for one goroutine.
type Caller interface {
	// Send asks the service. ID and payload are JSON; without an id nobody waits for an answer.
	Send(topic, id, payload string)
	// Next returns what arrives next, in order, answers and broadcasts. It fails the test when
	// nothing comes for long.
	Next() Message
	// Leave ends the connection.
	Leave()
}

// Message is what a subscriber gets.
type Message struct {
	Service, Topic string
	ID             string // JSON as it came; empty for a broadcast
	Status         int    // 0 for a broadcast
	StatusString   string
	Payload        json.RawMessage // null if there was none
}

// MessageOf reads an envelope as a subscriber does. It is for those who implement Caller. A nil
// envelope fails the test. MessageOf panics if t is nil, because there is no test to fail.
func MessageOf(t *testing.T, e *envelope.Envelope) Message {
	if t == nil {
		panic("servicetest: MessageOf: t is nil")
	}
	t.Helper()
	if e == nil {
		t.Fatal("servicetest: MessageOf: the envelope is nil")
	}
	m := Message{Payload: json.RawMessage("null")}
	m.Service, _ = envelope.Text(e.ServiceName)
	m.Topic, _ = envelope.Text(e.Topic)
	m.StatusString, _ = envelope.Text(e.StatusString)
	if !envelope.IsEmpty(e.RequestID) {
		m.ID = string(e.RequestID)
	}
	if e.Payload != nil {
		m.Payload = json.RawMessage(e.Payload)
	}
	if len(e.StatusCode) > 0 && e.StatusCode[0] != '"' {
		if err := json.Unmarshal(e.StatusCode, &m.Status); err != nil {
			t.Errorf("status code %s: %v", e.StatusCode, err)
		}
	}
	return m
}

// NextBut returns the caller's next message that is not a change of the service's state. Of a nil
// caller this is the zero Message.
func NextBut(c Caller) Message {
	if c == nil {
		return Message{}
	}
	for {
		if m := c.Next(); !isState(m) {
			return m
		}
	}
}

// isState reports whether m says to everybody that the service's state has changed.
func isState(m Message) bool { return m.Topic == service.StateTopic && m.ID == "" }
