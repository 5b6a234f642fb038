package eventsocket

import (
	"fmt"
	"strings"
)

// Command is one line for the switch. API and BGAPI make commands; the zero Command is refused.
type Command struct {
	verb string // api or bgapi
	line string
	err  error
}

// API returns a command that the switch answers when it has run it. The name is a constant of the source
// and may contain further constant words, such as "show channels as json".
func API(name literal, args ...Argument) Command { return newCommand("api", name, args) }

// BGAPI returns a command that the switch answers at once and runs in the background. Client.Do
// returns the answer, Client.Background waits for the result.
func BGAPI(name literal, args ...Argument) Command { return newCommand("bgapi", name, args) }

// Err returns nil, or why the command cannot be sent: an argument is a zero value, or the name has
// control characters.
func (c Command) Err() error {
	if c.line == "" && c.err == nil {
		return fmt.Errorf("%w: empty command", ErrArgument)
	}
	return c.err
}

// String returns what the switch is asked to run, without "api" or "bgapi". It holds what callers put in, so
// it does not belong in a log.
func (c Command) String() string { return c.line }

func newCommand(verb string, name literal, args []Argument) Command {
	if name == "" || hasControl(string(name)) {
		return Command{err: fmt.Errorf("%w: name of the command", ErrArgument)}
	}
	words := make([]string, 1, len(args)+1)
	words[0] = string(name)
	for i, arg := range args {
		if arg == nil || arg.text() == "" || hasControl(arg.text()) {
			return Command{err: fmt.Errorf("%w: argument %d of %s", ErrArgument, i+1, name)}
		}
		words = append(words, arg.text())
	}
	return Command{verb: verb, line: strings.Join(words, " ")}
}

// Reply is what the switch said to a command.
type Reply struct {
	// Text is the Reply-Text header; an api command has none.
	Text string
	// Body is the answer to an api command or the result of a background one, as the switch sent it.
	Body string
	// Job is the id that the switch gave a background command, else empty.
	Job string
}

// Failed reports whether the switch began its answer with -ERR or -USAGE.
func (r Reply) Failed() bool {
	for _, s := range []string{r.Text, r.Body} {
		if strings.HasPrefix(s, "-ERR") || strings.HasPrefix(s, "-USAGE") {
			return true
		}
	}
	return false
}

// Filter is a header and a value of events that a subscription wants.
type Filter struct{ header, value string }

// Match returns the filter for events whose header has the value. Upper and lower case are the same
// in both, as they are to the switch.
func Match(header, value literal) Filter { return Filter{string(header), string(value)} }

func (f Filter) valid() bool {
	return f.header != "" && f.value != "" && !hasControl(f.header+f.value) && !strings.Contains(f.header, " ")
}

func (f Filter) key() Filter { return Filter{strings.ToLower(f.header), strings.ToLower(f.value)} }
