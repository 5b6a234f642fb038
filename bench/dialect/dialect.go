// Package dialect knows how clients of each server that is compared open a connection, say an event,
// ask and answer. All carry the same data: JSON text of the same length with a load.Mark in it.
package dialect

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"

	"strowger/bench/load"
)

// Kind is what a connection is for.
type Kind int

// The kinds of connections.
const (
	Subscriber Kind = iota // receives events
	Service                // says events and answers requests
	Caller                 // asks the service
)

// Role is who a connection is.
type Role struct {
	Kind Kind
	// Topic is what the role receives, offers or asks.
	Topic string
	// Class is the permission class of a subscriber, from 0 to 9, for servers that know permissions.
	Class int
	// Spare is to how many topics more, which nobody speaks on, a subscriber subscribes, for servers
	// that have topics. FirstSpare is the first one's number.
	Spare, FirstSpare int
	// Number tells callers apart.
	Number int
	// Person, unless nil, is a user of FusionPBX, whose token counts in place of Topic, Class and Spare.
	Person *Person
}

// Person is a user of FusionPBX.
type Person struct {
	Domain                string
	Services, Permissions []string
}

// Ticket is what a role shows to get in. The zero one is for servers that check nothing.
type Ticket struct{ Name, Hash string }

// Dialect is how one server's clients talk.
type Dialect interface {
	// Ticket makes what the role shows to get in, once.
	Ticket(role Role) (Ticket, error)
	// Join leads a connection just opened to where its role begins: authenticated, subscribed and
	// acknowledged by the server.
	Join(c *load.Conn, role Role, ticket Ticket) error
	// Event is the message with which a service says data on topic.
	Event(topic string, data []byte) []byte
	// Request is the message with which a caller asks the service of that topic.
	Request(topic string, caller int, data []byte) []byte
	// Answers appends, as frames, a reply for each request in what the service of that topic was
	// sent. Data goes with each reply, under the request's mark.
	Answers(frames []byte, topic string, payload, data []byte) ([]byte, error)
	// Control judges a message without a mark: what to answer it with, nil for nothing, or what the
	// server complained of.
	Control(payload []byte) (answer []byte, err error)
}

// Dial opens a connection in a role.
func Dial(d Dialect, addr netip.AddrPort, role Role, ticket Ticket, o load.Options) (*load.Conn, error) {
	c, err := load.Dial(addr, o)
	if err != nil {
		return nil, err
	}
	if err := d.Join(c, role, ticket); err != nil {
		c.Close()
		return nil, fmt.Errorf("join: %w", err)
	}
	return c, nil
}

// spareName is the name of one of the topics that nobody speaks on.
func (r Role) spareName(i int) string { return "spare_" + strconv.Itoa(r.FirstSpare+i) }

// expect reads until a message has one of the texts wanted in it; one with a text of unwanted is an
// error.
func expect(c *load.Conn, wanted string, unwanted ...string) error {
	for {
		payload, err := c.Read()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", wanted, err)
		}
		if bytes.Contains(payload, []byte(wanted)) {
			return nil
		}
		for _, text := range unwanted {
			if bytes.Contains(payload, []byte(text)) {
				return fmt.Errorf("wait for %s: got %q", wanted, payload)
			}
		}
	}
}

// remark copies the mark of payload over the one in data.
func remark(data, payload []byte) error {
	m, _, end, err := load.FindMark(payload, 0)
	if err != nil {
		return err
	}
	_, start, to, err := load.FindMark(data, 0)
	if err != nil {
		return err
	}
	if end == 0 || to == 0 {
		return fmt.Errorf("no mark in %q", payload)
	}
	m.Put(data[start:to])
	return nil
}
