package eventsocket

import "errors"

var (
	// ErrNotConnected means that there is no connection now. The command was not sent.
	ErrNotConnected = errors.New("eventsocket: not connected to the switch")
	// ErrDisconnected means that the connection ended before the reply. The switch may have run the
	// command.
	ErrDisconnected = errors.New("eventsocket: the connection ended before the reply")
	// ErrBusy means that MaxPending commands wait for replies already. The command was not sent, unless
	// Background returned it.
	ErrBusy = errors.New("eventsocket: too many commands wait for replies")
	// ErrTooLarge means that something was larger than the options allow.
	ErrTooLarge = errors.New("eventsocket: too large")
	// ErrPassword means that the switch refused the password.
	ErrPassword = errors.New("eventsocket: the switch refused the password")
	// ErrRejected means that the switch does not accept connections from this address.
	ErrRejected = errors.New("eventsocket: the switch rejected the connection")
	// ErrArgument means that a value may not stand in a command.
	ErrArgument = errors.New("eventsocket: invalid argument")
	// ErrClosed means that the subscription was closed.
	ErrClosed = errors.New("eventsocket: subscription closed")
	// ErrNoJobs means that Background was used without Options.Jobs.
	ErrNoJobs = errors.New("eventsocket: background jobs are not enabled")

	errFraming = errors.New("malformed message")
	errStalled = errors.New("the switch stopped within a message or does not answer")
	errGoodbye = errors.New("the switch ended the connection")
)
