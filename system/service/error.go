package service

import "fmt"

// Error is an error that says what the subscriber gets: Status, and {"reason":Reason} as payload. A
// handler may return one, or an error that wraps one; the text around it is for the log alone.
type Error struct {
	// Status is between 400 and 599. With any other value the subscriber gets 500 and no reason.
	Status int
	Reason string
}

// Errorf returns an *Error with a formatted reason. The status must be between 400 and 599, as
// Error says.
func Errorf(status int, format string, args ...any) error {
	return &Error{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// Error returns the status and the reason.
func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Reason) }
