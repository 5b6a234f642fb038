package introspect

import (
	"log/slog"
	"slices"
	"time"
)

// DeadLetter is a message that nobody could take. Only a Ring numbers it and bounds its fields.
// Neither a log nor JSON shows Payload: it may be what people say to each other.
type DeadLetter struct {
	Number    uint64    `json:"number"` // counts all letters since the start
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`          // one of a fixed set
	Kind      string    `json:"kind,omitempty"`  // request, reply or broadcast; empty for what is none of them
	Actor     string    `json:"actor,omitempty"` // whom it was for
	Type      string    `json:"type,omitempty"`  // Go type of the message
	Service   string    `json:"service,omitempty"`
	Topic     string    `json:"topic,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Bytes     int       `json:"payload_bytes"` // length of the whole payload
	Stack     string    `json:"stack,omitempty"`
	Payload   []byte    `json:"-"`                 // its beginning
	From      *Asker    `json:"from,omitempty"`    // who asked or spoke; nil if that is not known
	Replayed  time.Time `json:"replayed,omitzero"` // when an operator had it asked once more
	// Origin is what whoever asks once more needs. The ring does not look at it.
	Origin any `json:"-"`
}

// Asker is who has sent what became a dead letter.
type Asker struct {
	ID     string `json:"id"`
	User   string `json:"user,omitempty"`
	Domain string `json:"domain,omitempty"`
	Name   string `json:"name,omitempty"` // of a service
	Remote string `json:"remote,omitempty"`
}

// Whole reports whether all of the payload is kept.
func (d *DeadLetter) Whole() bool { return len(d.Payload) == d.Bytes }

// letterCost is what a letter takes besides its texts, about.
const letterCost = 512

func (d *DeadLetter) size() int {
	n := letterCost + len(d.Reason) + len(d.Actor) + len(d.Type) + len(d.Service) + len(d.Topic) + len(d.RequestID) + len(d.Stack) + len(d.Payload)
	if a := d.From; a != nil {
		n += len(a.ID) + len(a.User) + len(a.Domain) + len(a.Name) + len(a.Remote)
	}
	return n
}

// LogValue returns all but the payload and the stack.
func (d DeadLetter) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Uint64("number", d.Number), slog.Time("at", d.At), slog.String("reason", d.Reason)}
	for _, a := range []slog.Attr{slog.String("actor", d.Actor), slog.String("type", d.Type),
		slog.String("service", d.Service), slog.String("topic", d.Topic), slog.String("request_id", d.RequestID)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	return slog.GroupValue(append(attrs, slog.Int("payload_bytes", d.Bytes))...)
}

// bound returns a copy that owns all it holds and is no larger than o says.
func (d DeadLetter) bound(o RingOptions) *DeadLetter {
	if d.Bytes < len(d.Payload) {
		d.Bytes = len(d.Payload)
	}
	d.Payload = slices.Clone(d.Payload[:min(len(d.Payload), o.PayloadBytes)])
	if o.StackBytes == 0 {
		d.Stack = ""
	}
	d.Stack = clip(d.Stack, o.StackBytes)
	for _, text := range []*string{&d.Reason, &d.Actor, &d.Type, &d.Service, &d.Topic, &d.RequestID} {
		*text = clip(*text, longestText)
	}
	if d.From != nil {
		a := *d.From
		for _, text := range []*string{&a.ID, &a.User, &a.Domain, &a.Name, &a.Remote} {
			*text = clip(*text, longestText)
		}
		d.From = &a
	}
	return &d
}
