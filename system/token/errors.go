package token

import "errors"

// The errors of this package, to be told apart with errors.Is. What wraps them
// says where and why, and never holds a hash. A client learns none of it: to it
// every refusal is the same 401.
var (
	// ErrMalformedName means that the name or the hash is not 16 to 128 of the
	// characters A-Z a-z 0-9 _ -. No file was looked for.
	ErrMalformedName = errors.New("token name or hash is not well formed")

	// ErrNotFound means that there is no such token, or not any more: somebody
	// else claimed it first.
	ErrNotFound = errors.New("token not found")

	// ErrMismatch means that the file holds another hash or another name. The
	// file was left alone.
	ErrMismatch = errors.New("token does not match")

	// ErrExpired means that the token was too old. The file was deleted.
	ErrExpired = errors.New("token expired")

	// ErrMalformed means that the file is not a token. It was left alone.
	ErrMalformed = errors.New("malformed token")

	// ErrUntrusted means that the file is a symbolic link, not a regular file,
	// has a second link, belongs to someone who may not issue tokens, or could
	// have been written by others.
	ErrUntrusted = errors.New("untrusted token file")

	// ErrUnavailable means that the directory or the file could not be used:
	// the operator has to act.
	ErrUnavailable = errors.New("token store unavailable")
)
