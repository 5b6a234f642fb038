package actors

import "github.com/asynkron/protoactor-go/actor"

// Inbox is the way into one actor for a goroutine that has nothing else to do than to feed it.
type Inbox struct {
	PID     *actor.PID
	mailbox *mailbox
}

// Post sends a message.
func (i Inbox) Post(message any) { i.mailbox.PostUserMessage(message) }

// Run sends a message and, unless the actor is at work already, has it work on the goroutine of the
// caller, which saves the change of goroutines. So it is for messages that are soon dealt with.
func (i Inbox) Run(message any) {
	if i.mailbox.post(message) {
		i.mailbox.run()
	}
}
