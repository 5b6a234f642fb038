package dialect

import (
	"bytes"
	"fmt"
	"strconv"

	"strowger/bench/load"
)

// Strowger is FusionPBX's protocol, which strowger and the PHP original share.
type Strowger struct {
	// Tokens writes token files.
	Tokens Tokens
	// LocalService and LocalTopic are whom to ask, and for what, for a reply of the server itself.
	LocalService, LocalTopic string
}

// ServiceClass is the PHP class that the tokens of services name.
const ServiceClass = "bench_service"

// Ticket writes a token file.
func (s *Strowger) Ticket(role Role) (Ticket, error) { return s.Tokens.Create(role) }

// Join waits for the greeting and authenticates.
func (s *Strowger) Join(c *load.Conn, _ Role, ticket Ticket) error {
	if err := expect(c, `"status_code":407`); err != nil {
		return err
	}
	err := c.Say([]byte(`{"service":"authentication","token":{"name":"` + ticket.Name + `","hash":"` + ticket.Hash + `"}}`))
	if err != nil {
		return err
	}
	return expect(c, `"topic":"authenticated"`, `"status_code":401`)
}

// Event is a broadcast.
func (*Strowger) Event(topic string, data []byte) []byte {
	return fmt.Appendf(nil, `{"service_name":%q,"topic":"event","payload":%s}`, topic, data)
}

// Request has the caller's number as its id, as small as the ids of pages are. To the server's own
// service the mark goes as the id, which comes back whatever the reply says.
func (s *Strowger) Request(topic string, caller int, data []byte) []byte {
	if topic == Local {
		mark := make([]byte, load.MarkSize)
		load.Mark{}.Put(mark)
		return fmt.Appendf(nil, `{"request_id":%q,"service":%q,"topic":%q,"payload":%s}`, mark, s.LocalService, s.LocalTopic,
			bytes.ReplaceAll(data, mark, nil))
	}
	return fmt.Appendf(nil, `{"request_id":%q,"service":%q,"topic":"ask","payload":%s}`, strconv.Itoa(caller+1), topic, data)
}

// Answers sends both ids back.
func (*Strowger) Answers(frames []byte, topic string, payload, data []byte) ([]byte, error) {
	requestID, resourceID := field(payload, `"request_id":"`), field(payload, `"resource_id":"`)
	if len(requestID) == 0 || len(resourceID) == 0 {
		return frames, nil // no request
	}
	if err := remark(data, payload); err != nil {
		return frames, err
	}
	reply := make([]byte, 0, 256+len(data))
	reply = append(reply, `{"service_name":"`...)
	reply = append(reply, topic...)
	reply = append(reply, `","topic":"ask","status_string":"ok","status_code":200,"request_id":"`...)
	reply = append(reply, requestID...)
	reply = append(reply, `","resource_id":"`...)
	reply = append(reply, resourceID...)
	reply = append(reply, `","payload":`...)
	reply = append(reply, data...)
	reply = append(reply, '}')
	return load.AppendText(frames, reply), nil
}

// Control takes every status from 400 on for a complaint.
func (*Strowger) Control(payload []byte) ([]byte, error) {
	if code := field(payload, `"status_code":`); len(code) > 0 && (code[0] == '4' || code[0] == '5') {
		return nil, fmt.Errorf("server answered %q", payload)
	}
	return nil, nil
}

// field returns what stands behind the last prefix up to the next quote or comma. The data of
// requests comes before the ids and has neither of them.
func field(payload []byte, prefix string) []byte {
	i := bytes.LastIndex(payload, []byte(prefix))
	if i < 0 {
		return nil
	}
	rest := payload[i+len(prefix):]
	if end := bytes.IndexAny(rest, `",`); end >= 0 {
		return rest[:end]
	}
	return nil
}
