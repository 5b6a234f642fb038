package switchsim

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Faults say how the simulator misbehaves. The zero value behaves.
type Faults struct {
	// Seed makes the random choices of Split repeatable.
	Seed uint64
	// Split is the largest number of bytes in one write; each write has a random number up to it. Zero
	// means that messages are written whole.
	Split int
	// Banner is sent in front of the first message.
	Banner string
	// RefuseAuth refuses every password. Reject refuses every connection as an access list does.
	RefuseAuth, Reject bool
	// StallAt is the number of an event, from 1, of which only half is sent; Play then returns and the
	// connections stay open.
	StallAt int
	// DropAt is the number of an event, from 1, of which only half is sent before all connections are closed. Play
	// goes on with the next event when a client listens again.
	DropAt int
	// Answer, unless nil, is asked first what the switch says to an api command. It returns false for a command that the
	// recording answers. It is called from several goroutines.
	Answer func(command string) (reply string, ok bool)
	// Delay, unless nil, returns how long the reply to an api command is on its way. The reply is as it was when the
	// command came, and later commands of the connection wait. It is called from several goroutines.
	Delay func(command string) time.Duration
	// Mute makes the simulator read commands after the login and answer none.
	Mute bool
	// Mangle changes every MangleEvery-th event, or each if that is 0.
	Mangle      Mangle
	MangleEvery int
}

// Mangle returns what is sent in place of an event's message. It must not change raw.
type Mangle func(raw []byte) []byte

// BadLength sets the outer Content-Length to -1.
func BadLength(raw []byte) []byte {
	_, body, _ := bytes.Cut(raw, []byte("\n\n"))
	return append([]byte("Content-Length: -1\nContent-Type: text/event-plain\n\n"), body...)
}

// BadInnerLength adds a Content-Length of -1 to the event's own headers.
func BadInnerLength(raw []byte) []byte { return addHeader(raw, "Content-Length: -1") }

// BadPercent adds a header Bad-Percent with percent codes that are none.
func BadPercent(raw []byte) []byte { return addHeader(raw, "Bad-Percent: 100%25%zz%4%") }

// Latin1 adds headers with a name in Latin-1, once in percent codes and once as bytes.
func Latin1(raw []byte) []byte {
	return addHeader(raw, "Latin1-Coded: Zo%EB%20M%FCller\nLatin1-Bytes: Zo\xeb M\xfcller")
}

// HugeHeader returns a Mangle that adds a header of n bytes to the event.
func HugeHeader(n int) Mangle {
	return func(raw []byte) []byte { return addHeader(raw, "Huge: "+strings.Repeat("x", n)) }
}

// HugeHead returns a Mangle that adds a line of n bytes in front of the message's Content-Length.
func HugeHead(n int) Mangle {
	return func(raw []byte) []byte {
		return append([]byte("Huge: "+strings.Repeat("x", n)+"\n"), raw...)
	}
}

// Truncate cuts the last third of the event and announces the length that is left.
func Truncate(raw []byte) []byte {
	_, body, _ := bytes.Cut(raw, []byte("\n\n"))
	return frame(body[:len(body)*2/3])
}

func addHeader(raw []byte, lines string) []byte {
	_, body, _ := bytes.Cut(raw, []byte("\n\n"))
	head, rest, _ := bytes.Cut(body, []byte("\n\n"))
	return frame(bytes.Join([][]byte{head, []byte("\n"), []byte(lines), []byte("\n\n"), rest}, nil))
}

// frame returns the body of an event as a message.
func frame(body []byte) []byte {
	head := fmt.Appendf(nil, "Content-Length: %d\nContent-Type: text/event-plain\n\n", len(body))
	return append(head, body...)
}
