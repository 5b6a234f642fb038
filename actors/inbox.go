package actors

import "github.com/asynkron/protoactor-go/actor"

// Inbox is the way into one actor for those who feed it all the time.
type Inbox struct {
	PID     *actor.PID
	mailbox *mailbox
}

// Post sends a message.
func (i Inbox) Post(message any) { i.mailbox.PostUserMessage(message) }

// Run sends a message and, unless the actor is at work already, has it work on the goroutine of the
// caller, which saves the change of goroutines. It handles one message there and no other, so that the
// caller is not held up by what others send. It is for messages that are soon dealt with.
func (i Inbox) Run(message any) {
	if i.mailbox.post(message) {
		i.mailbox.runOne()
	}
}
