package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"strowger/bench/load"
)

// Local is the topic of requests that the server answers by itself.
const Local = "local"

// Centrifuge is the JSON protocol of centrifuge's clients. Subscriptions are made by the server when
// the client connects, which is the shortest way.
type Centrifuge struct{}

// Ticket is empty: the server believes what the client says.
func (Centrifuge) Ticket(Role) (Ticket, error) { return Ticket{}, nil }

// Join connects, with what it is for in place of a token.
func (Centrifuge) Join(c *load.Conn, role Role, _ Ticket) error {
	var topics []string
	if role.Kind == Subscriber {
		topics = append(topics, role.Topic)
	}
	for i := range role.Spare {
		topics = append(topics, role.spareName(i))
	}
	list, err := json.Marshal(topics)
	if err != nil {
		return err
	}
	if err := c.Say(fmt.Appendf(nil, `{"id":1,"connect":{"data":{"topics":%s}}}`, list)); err != nil {
		return err
	}
	return expect(c, `"connect":{`, `"error"`)
}

// Event publishes to a channel.
func (Centrifuge) Event(topic string, data []byte) []byte {
	return fmt.Appendf(nil, `{"id":2,"publish":{"channel":%q,"data":%s}}`, topic, data)
}

// Request is an RPC, which the server answers with the same data.
func (Centrifuge) Request(topic string, caller int, data []byte) []byte {
	return fmt.Appendf(nil, `{"id":%d,"rpc":{"method":%q,"data":%s}}`, caller+2, topic, data)
}

// Answers is never needed: services are functions in the server.
func (Centrifuge) Answers(frames []byte, _ string, _, _ []byte) ([]byte, error) {
	return frames, errors.New("centrifuge has no remote services")
}

// Control answers a ping.
func (Centrifuge) Control(payload []byte) ([]byte, error) {
	switch {
	case bytes.Equal(payload, []byte("{}")):
		return payload, nil
	case bytes.Contains(payload, []byte(`"error"`)), bytes.Contains(payload, []byte(`"disconnect"`)):
		return nil, fmt.Errorf("server answered %q", payload)
	}
	return nil, nil
}
