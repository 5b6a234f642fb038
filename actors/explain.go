package actors

import (
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/filter"
)

// ListMembers asks a topic who its members are. The sender gets a *Members.
type ListMembers struct{ unmissed }

func (*ListMembers) toTopic() {}
func (*Explain) toTopic()     {}

// Members answers ListMembers, in no order. The peers do not change.
type Members struct{ Peers []*Peer }

func (t *topic) list(ctx actor.Context) {
	ctx.Respond(&Members{slices.Collect(maps.Keys(t.members))})
}

// Explain asks a topic what one of its members gets of a message that its service might say. The
// sender gets an *Explained.
type Explain struct {
	unmissed
	Subscriber string // id
	Topic      string
	Payload    []byte // valid JSON; nil for null
}

// Explained answers Explain.
type Explained struct {
	Member   bool // false: the subscriber is none, and there are no accounts
	Accounts []Account
}

// Account is what one instance of a service comes to for a subscriber.
type Account struct {
	Class  string // of the instance
	Source Source
	Policy string // as in Ruling
	filter.Explanation
}

// explain tells what every instance's filter says; without an instance there is no account.
func (t *topic) explain(ctx actor.Context, m *Explain) {
	answer := &Explained{}
	for p := range t.members {
		if p.ID != m.Subscriber {
			continue
		}
		answer.Member = true
		t.refresh()
		for speaker := range t.speakers {
			r := t.policies.Of(speaker)
			answer.Accounts = append(answer.Accounts, Account{
				Class: speaker.Class, Source: r.Source, Policy: r.Policy,
				Explanation: r.Filter.Explain(p.subject(), m.Topic, m.Payload),
			})
		}
	}
	ctx.Respond(answer)
}
