package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that does not show when it is printed, logged or encoded,
// except as the key of a map; string(s) is the text itself.
type Secret string

const redacted = "[redacted]"

// String returns a fixed text in place of the secret.
func (Secret) String() string { return redacted }

// Format prints a fixed text whatever the verb. With String alone, a verb
// that does not fit a string would print the secret in its complaint.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// LogValue returns a fixed text in place of the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a fixed text in place of the secret; encoders of JSON,
// YAML and XML use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
