package jwt

import (
	"fmt"
	"strconv"
)

// Error is why a JWT is refused. What wraps one may quote what the peer wrote, shortened.
type Error struct{ text, setting string }

// Error returns the reason, which is the same for every peer.
func (e *Error) Error() string { return e.text }

// Setting returns the settings that decide, or "".
func (e *Error) Setting() string { return e.setting }

const keySettings = "jwt.keys, jwt.jwks"

// The reasons, to be told apart with errors.Is. A client learns none of them.
var (
	ErrOff        = &Error{"a JWT was presented, and none is accepted", keySettings}
	ErrTooLong    = &Error{"JWT is too long", "jwt.max_bytes"}
	ErrMalformed  = &Error{"malformed JWT", ""}
	ErrHeader     = &Error{"header of the JWT asks for what is not supported", ""}
	ErrAlgorithm  = &Error{"algorithm of the JWT is not that of a key", keySettings}
	ErrUnknownKey = &Error{"key of the JWT is not known", keySettings}
	ErrSignature  = &Error{"signature of the JWT is wrong", keySettings}
	ErrExpired    = &Error{"JWT has expired", "jwt.leeway"}
	ErrNotYet     = &Error{"JWT is not good yet", "jwt.leeway"}
	ErrIssuer     = &Error{"issuer of the JWT is not accepted", "jwt.issuers, jwt.jwks"}
	ErrAudience   = &Error{"audience of the JWT is not accepted", "jwt.audiences"}
	ErrClaim      = &Error{"claim of the JWT cannot be used", ""}
	ErrKeysAway   = &Error{"keys to check JWTs with are not there", "jwt.jwks"}
)

// awayError says that keys may be there soon. It is not the peer's fault.
type awayError struct{ more string }

func (e *awayError) Error() string { return ErrKeysAway.text + ": " + e.more }

func (e *awayError) Unwrap() error { return ErrKeysAway }

// Temporary tells actors to have the peer come back later.
func (e *awayError) Temporary() bool { return true }

// claimError is a claim that cannot be used.
type claimError struct {
	err     error
	setting string
}

func (e *claimError) Error() string { return e.err.Error() }

func (e *claimError) Unwrap() error { return e.err }

// Setting returns the setting that names the claim.
func (e *claimError) Setting() string { return e.setting }

// badClaim returns the error of a claim, with what is wrong with it. None of it is of the peer's choosing.
func badClaim(setting, name, what string) error {
	return &claimError{fmt.Errorf("%w: %s: %s", ErrClaim, name, what), setting}
}

// shown quotes what a peer wrote, shortened.
func shown(text string) string {
	const most = 64
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}
