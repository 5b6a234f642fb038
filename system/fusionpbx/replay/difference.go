package replay

import (
	"fmt"
	"strings"
)

// Kind says in what a difference is.
type Kind string

// The kinds.
const (
	// Push is something that the service said unasked.
	Push Kind = "push"
	// Reply is an answer to a request.
	Reply Kind = "reply"
	// Command is a command for the switch.
	Command Kind = "command"
	// Received is what a client gets.
	Received Kind = "received"
)

// Difference is one difference between the original and the service under test.
type Difference struct {
	Scenario string
	Kind     Kind
	// Client is who asked, or who gets something. It is empty for pushes and commands.
	Client string
	// Topic is that of the request for a reply, else that of the message.
	Topic string
	// Key is "payload." and a key of the payload, "order" for the order of the payload's keys, or a key of the
	// envelope. It is empty if all of the message differs or is there only once.
	Key string
	// Want is what the original has, Got what the service under test has, as JSON or as the command. Empty means
	// nothing.
	Want, Got string
	// Message is the message of the service under test, or nil.
	Message *Message
}

// String returns the difference on one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s %s %s %s: want %s, got %s", d.Scenario, d.Kind, d.Client, d.Topic, d.Key, short(d.Want), short(d.Got))
}

func short(s string) string {
	const most = 300
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// differences compares two messages key by key.
func differences(want, got *Message) []Difference {
	found := fieldDifferences("", want.fields(), got.fields())
	if want.payload() == nil || got.payload() == nil {
		if want.value() != got.value() {
			found = append(found, Difference{Key: "payload", Want: want.value(), Got: got.value()})
		}
		return found
	}
	inPayload := fieldDifferences("payload.", want.payload(), got.payload())
	found = append(found, inPayload...)
	if a, b := keys(want.payload()), keys(got.payload()); len(inPayload) == 0 && a != b {
		found = append(found, Difference{Key: "order", Want: a, Got: b})
	}
	return found
}

func fieldDifferences(prefix string, want, got []field) []Difference {
	var found []Difference
	for i := range want {
		f := &want[i]
		if a, b := f.value(), get(got, f.key); a != b {
			found = append(found, Difference{Key: prefix + f.key, Want: a, Got: b})
		}
	}
	for i := range got {
		f := &got[i]
		if get(want, f.key) == "" {
			found = append(found, Difference{Key: prefix + f.key, Got: f.value()})
		}
	}
	return found
}

func keys(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	return strings.Join(names, " ")
}
