package dialect

import (
	"bytes"
	"fmt"
	"strconv"

	"strowger/bench/load"
)

// NATS is the protocol of NATS clients inside WebSocket frames.
type NATS struct{}

// Ticket is empty: the server asks for none.
func (NATS) Ticket(Role) (Ticket, error) { return Ticket{}, nil }

// Join connects and subscribes, and waits until the server has done both.
func (NATS) Join(c *load.Conn, role Role, _ Ticket) error {
	if err := expect(c, "INFO "); err != nil {
		return err
	}
	subscription := "SUB " + subject(role) + " 1\r\n"
	for i := range role.Spare {
		subscription += fmt.Sprintf("SUB %s %d\r\n", role.spareName(i), i+2)
	}
	if err := c.Say([]byte(natsConnect + subscription + "PING\r\n")); err != nil {
		return err
	}
	return expect(c, "PONG", "-ERR")
}

const natsConnect = `CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1}` + "\r\n"

// subject is what the role receives.
func subject(role Role) string {
	switch role.Kind {
	case Service:
		return "ask." + role.Topic
	case Caller:
		return inbox(role.Number)
	}
	return role.Topic
}

func inbox(caller int) string { return "inbox." + strconv.Itoa(caller) }

// Event is a publication.
func (NATS) Event(topic string, data []byte) []byte {
	return fmt.Appendf(nil, "PUB %s %d\r\n%s\r\n", topic, len(data), data)
}

// Request names the caller's inbox, where it waits for replies.
func (NATS) Request(topic string, caller int, data []byte) []byte {
	return fmt.Appendf(nil, "PUB ask.%s %s %d\r\n%s\r\n", topic, inbox(caller), len(data), data)
}

// Answers publishes to the inbox of each request.
func (NATS) Answers(frames []byte, _ string, payload, data []byte) ([]byte, error) {
	var replies []byte
	for rest := payload; bytes.HasPrefix(rest, []byte("MSG ")); {
		line, body, whole := bytes.Cut(rest, []byte("\r\n"))
		words := bytes.Fields(line) // MSG subject sid reply size
		if !whole || len(words) != 5 {
			return frames, fmt.Errorf("no request: %q", line)
		}
		size, err := strconv.Atoi(string(words[4]))
		if err != nil || size+2 > len(body) {
			return frames, fmt.Errorf("size of a request: %q", line)
		}
		if err := remark(data, body[:size]); err != nil {
			return frames, err
		}
		replies = fmt.Appendf(replies, "PUB %s %d\r\n%s\r\n", words[3], len(data), data)
		rest = body[size+2:]
	}
	if len(replies) == 0 {
		return frames, nil
	}
	return load.AppendText(frames, replies), nil
}

// Control answers a ping.
func (NATS) Control(payload []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(payload, []byte("PING")):
		return []byte("PONG\r\n"), nil
	case bytes.HasPrefix(payload, []byte("-ERR")):
		return nil, fmt.Errorf("server answered %q", payload)
	}
	return nil, nil
}
