package database

import "errors"

// Errors of queries and changes, to be looked for with errors.Is.
var (
	// ErrUnavailable means that there is no database, or that it did not answer. Every such error is an
	// *UnavailableError.
	ErrUnavailable = errors.New("the database is not available")
	// ErrTooManyRows means that the answer has more rows than Options.Rows allows.
	ErrTooManyRows = errors.New("the answer has too many rows")
	// ErrNotAllowed means that who asks may not make this change.
	ErrNotAllowed = errors.New("not allowed")
	// ErrNotFound means that there is nothing to change in the domain of who asks.
	ErrNotFound = errors.New("not found")
	// ErrInvalid means that a value cannot be what it stands for.
	ErrInvalid = errors.New("invalid value")
)

// UnavailableError says why a query has no answer.
type UnavailableError struct {
	// Reason is a sentence for whoever asked. It holds no address, name or password.
	Reason string
	// Permanent tells that it stays so until config.conf is changed.
	Permanent bool
	// Err is what happened, for the log; nil where Reason says all.
	Err error
}

// Error returns the reason and what happened.
func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap makes errors.Is find ErrUnavailable and what happened.
func (e *UnavailableError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrUnavailable}
	}
	return []error{ErrUnavailable, e.Err}
}
