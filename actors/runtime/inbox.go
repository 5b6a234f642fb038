package runtime

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Inbox is where messages wait for an actor that takes all of them at once. They are values, so that posting one
// allocates nothing while few wait. The actor gets the *Inbox as its message when something waits. The zero value
// is ready for Props.
type Inbox[M any] struct {
	mailbox *mailbox

	mu      sync.Mutex // Protects following.
	waiting []M
	told    bool // the actor has the inbox among its messages, and has not taken what waits
	spare   []M  // is used for what waits next
}

// Props returns props for the one actor whose messages are in b.
func (b *Inbox[M]) Props(props *actor.Props) *actor.Props {
	return props.Configure(actor.WithMailbox(func() actor.Mailbox {
		b.mailbox = &mailbox{patient: true}
		return b.mailbox
	}))
}

// Post adds a message. The actor was spawned before. It may be called from any goroutine.
func (b *Inbox[M]) Post(m M) {
	b.mu.Lock()
	b.waiting = append(b.waiting, m)
	tell := !b.told
	b.told = true
	b.mu.Unlock()
	if tell {
		b.mailbox.PostUserMessage(b)
	}
}

// Take returns what waits, in order. Only the actor calls it, and it must give back what it got before the next
// call, or never.
func (b *Inbox[M]) Take() []M {
	b.mu.Lock()
	taken := b.waiting
	b.waiting, b.spare, b.told = b.spare, nil, false
	b.mu.Unlock()
	return taken
}

// GiveBack lets what Take returned be used again. It forgets the messages. The memory of a long list goes back to
// the heap, so that a burst does not cost memory for ever.
func (b *Inbox[M]) GiveBack(taken []M) {
	clear(taken)
	if cap(taken) > reused {
		return
	}
	b.mu.Lock()
	b.spare = taken[:0]
	b.mu.Unlock()
}

// reused is up to which length a list is used again.
const reused = 256

// Waiting returns how many messages wait. Any goroutine may ask.
func (b *Inbox[M]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}
