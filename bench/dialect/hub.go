package dialect

import (
	"fmt"

	"strowger/bench/load"
)

// Hub is the protocol of peer.Hub: the first byte of a message says what it is.
type Hub struct{}

// What the first byte of a message to or from a hub says.
const (
	HubSubscribe = 'S' // be a subscriber; echoed
	HubServe     = 'V' // be the service; echoed
	HubEvent     = 'E' // data for all subscribers, who get it without this byte
	HubRequest   = 'Q' // data for the service, who gets it with the caller's id in between
	HubReply     = 'R' // the caller's id and data for him, which he gets alone
	HubLocal     = 'L' // data that the hub itself sends back
	// HubID is how long the id of a caller is.
	HubID = 8
)

// Ticket is empty: a hub checks nothing.
func (Hub) Ticket(Role) (Ticket, error) { return Ticket{}, nil }

// Join says what the connection is for.
func (Hub) Join(c *load.Conn, role Role, _ Ticket) error {
	kind := ""
	switch role.Kind {
	case Subscriber:
		kind = string(rune(HubSubscribe))
	case Service:
		kind = string(rune(HubServe))
	default:
		return nil
	}
	if err := c.Say([]byte(kind)); err != nil {
		return err
	}
	return expect(c, kind)
}

// Event is the data itself.
func (Hub) Event(_ string, data []byte) []byte { return append([]byte{HubEvent}, data...) }

// Request goes to the service; or to the hub itself if the topic is Local.
func (Hub) Request(topic string, _ int, data []byte) []byte {
	if topic == Local {
		return append([]byte{HubLocal}, data...)
	}
	return append([]byte{HubRequest}, data...)
}

// Answers sends the caller's id back.
func (Hub) Answers(frames []byte, _ string, payload, data []byte) ([]byte, error) {
	if len(payload) < 1+HubID || payload[0] != HubRequest {
		return frames, fmt.Errorf("no request: %q", payload)
	}
	if err := remark(data, payload); err != nil {
		return frames, err
	}
	reply := append([]byte{HubReply}, payload[1:1+HubID]...)
	return load.AppendText(frames, append(reply, data...)), nil
}

// Control complains of everything.
func (Hub) Control(payload []byte) ([]byte, error) {
	return nil, fmt.Errorf("message without a mark: %q", payload)
}
