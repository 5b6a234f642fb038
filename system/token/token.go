// Package token reads, claims and creates the one-time token files by which a
// connection shows who it is.
//
// A token is a file in a directory shared with whoever issues tokens. It comes
// in two formats: the PHP file FusionPBX writes (NAME.php) and a JSON file for
// everyone else (NAME.json). Both become the same Token. Nothing in a token
// file is ever executed.
//
// Store.Claim takes a token out of the directory: of all that claim the same
// token at once, in one process or in many, exactly one gets it.
package token

import (
	"fmt"
	"log/slog"
	"time"
)

// Kind says what a token makes of the connection that presents it.
type Kind uint8

// The kinds of token.
const (
	User    Kind = iota + 1 // A client: a browser or a program that subscribes and asks.
	Service                 // A service: it broadcasts and answers requests.
)

// String returns "user" or "service", the words used in logs.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Service:
		return "service"
	default:
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
}

// Token is what a token file says about its holder. A Token is not changed
// after it was returned, so it may be shared.
type Token struct {
	Kind Kind
	Name string
	Hash string // The secret. Neither String nor LogValue shows it.

	IssuedAt time.Time     // Zero when the file does not say and the token has no limit.
	Limit    time.Duration // How long after IssuedAt the token and its connection are good; 0 means for ever.

	// ClaimWithin is how long after IssuedAt the token can be claimed; 0 means as long as it is good. It does
	// not bound the connection. Only the JSON format has it.
	ClaimWithin time.Duration

	Services    []string // What the holder is subscribed to, each once, in the order of the file.
	Permissions []string // Sorted, each once.

	DomainName string // The domain the holder works in, not the user's home domain.
	DomainUUID string

	UserUUID   string
	UserName   string
	Extensions []string // "user@context", each once, in the order of the file.

	ServiceName  string // Not empty exactly when Kind is Service.
	ServiceClass string

	// Odd names the optional fields of the file that were of the wrong type, and says of each what
	// was wrong. They count as empty, an integer as its decimal text. No value is shown.
	Odd []string
}

// ExpiresAt returns the first moment at which the token is no longer good, or
// the zero time for a token that never expires. It bounds the connection made
// with the token as well as the claim; see also ClaimBy.
func (t *Token) ExpiresAt() time.Time {
	if t.Limit <= 0 {
		return time.Time{}
	}
	return t.IssuedAt.Add(t.Limit)
}

// ClaimBy returns the first moment at which the token can no longer be claimed, or the zero time for a
// token that can always be.
func (t *Token) ClaimBy() time.Time {
	within := t.Limit
	if t.ClaimWithin > 0 && (within <= 0 || t.ClaimWithin < within) {
		within = t.ClaimWithin
	}
	if within <= 0 {
		return time.Time{}
	}
	return t.IssuedAt.Add(within)
}

// Expired reports whether it is too late at now to claim the token. An age equal to
// the limit is expired (protocol 4.7). A token issued in the future is good,
// as it is for FusionPBX: the clocks of two machines may differ.
func (t *Token) Expired(now time.Time) bool {
	by := t.ClaimBy()
	return !by.IsZero() && !now.Before(by)
}

// shownName is how many characters of a name a log line shows: enough to tell
// two tokens apart, too few to look for the file.
const shownName = 8

// shortName returns the part of a token name that may be shown.
func shortName(name string) string {
	if len(name) <= shownName {
		return name
	}
	return name[:shownName] + "..."
}

// String returns one line for people, without the hash.
func (t *Token) String() string {
	if t.Kind == Service {
		return fmt.Sprintf("service token %s for %s", shortName(t.Name), t.ServiceName)
	}
	return fmt.Sprintf("user token %s for %s in %s", shortName(t.Name), t.UserName, t.DomainName)
}

// GoString returns what String does, so that %#v shows no hash either.
func (t *Token) GoString() string { return t.String() }

// LogValue shows the token without its hash and with its name shortened.
func (t *Token) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("kind", t.Kind.String()),
		slog.String("name", shortName(t.Name)),
		slog.String("domain", t.DomainName),
	}
	if t.Kind == Service {
		attrs = append(attrs, slog.String("service", t.ServiceName), slog.String("class", t.ServiceClass))
	} else {
		attrs = append(attrs, slog.String("user", t.UserName), slog.Int("permissions", len(t.Permissions)))
	}
	if !t.ExpiresAt().IsZero() {
		attrs = append(attrs, slog.Time("expires", t.ExpiresAt()))
	}
	return slog.GroupValue(attrs...)
}
