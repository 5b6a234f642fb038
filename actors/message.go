package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// message is what all messages to actors of this package have in common.
type message interface {
	// lost does what is to be done because no actor handles the message: it answers whoever waits, and counts.
	lost(d *Deps, why runtime.Loss)
}

// The messages of each actor have a method that only they have, so that a message to another actor does not
// compile.
type (
	toConnection interface {
		message
		toConnection()
	}
	toSubscriber interface {
		message
		toSubscriber()
	}
	toService interface {
		message
		toService()
	}
	toTopic interface {
		message
		toTopic()
	}
	toRouter interface {
		message
		toRouter()
	}
	toHolders interface {
		message
		toHolders()
	}
	toSessions interface {
		message
		toSessions()
	}
)

// Connection is the way to the actor of one connection.
type Connection = runtime.Ref[toConnection]

// RouterRef is the way to the router.
type RouterRef = runtime.Ref[toRouter]

// unmissed is embedded in messages whose loss nobody needs to hear of.
type unmissed struct{}

func (unmissed) lost(*Deps, runtime.Loss) {}

// counted is embedded in messages whose loss is counted.
type counted struct{}

func (counted) lost(d *Deps, why runtime.Loss) { d.Counters.Dead(reason(why)) }

// reason returns what the loss of a message counts as.
func reason(why runtime.Loss) DeadReason {
	return [...]DeadReason{runtime.Panicked: ActorCrashed, runtime.Stopped: ActorStopped, runtime.Unknown: UnknownMessage}[why]
}

// lost is told of every message that no actor handles.
func (d *Deps) lost(m any, why runtime.Loss) {
	if why == runtime.Unknown {
		d.Counters.Dead(UnknownMessage)
		return
	}
	if m, ok := m.(message); ok {
		m.lost(d, why)
	}
}

// routed is a message that carries an envelope.
type routed interface{ routed() *envelope.Envelope }

// EnvelopeOf returns the routed message at which an actor failed, nil if it was none.
func EnvelopeOf(c *runtime.Crash) *envelope.Envelope {
	if m, ok := c.Message.(routed); ok {
		return m.routed()
	}
	return nil
}
