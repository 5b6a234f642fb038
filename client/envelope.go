package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"strowger/actors/envelope"
)

// authentication is the service that the router itself answers for (protocol 4.1).
const authentication = "authentication"

// incoming is what a client reads of a message from the router (protocol 3.1).
type incoming struct {
	service   string
	topic     string
	status    string
	code      int    // 0 when there is none
	requestID string // empty for a broadcast
	payload   json.RawMessage
	position  position           // of a broadcast of a service with a history, if it was asked for
	gap       *uint64            // how many broadcasts are missing, 0 if nobody knows; the message says nothing else. nil: it is another message
	mark      mark               // what is known of losses before it
	size      int                // bytes on the wire
	whole     *envelope.Envelope // as it came, for services
}

// decodeEnvelope reads one message. The envelope keeps data, which must not
// change afterwards.
func decodeEnvelope(data []byte) (*incoming, error) {
	m, err := envelope.Decode(data, envelope.MaxDepth)
	if err != nil {
		return nil, err
	}
	e := &incoming{payload: json.RawMessage("null"), size: len(data), whole: &m.Envelope}
	e.service, _ = envelope.Name(m.ServiceName)
	e.topic, _ = envelope.Name(m.Topic)
	e.status, _ = envelope.Text(m.StatusString)
	code, _ := envelope.Name(m.StatusCode)
	e.code, _ = strconv.Atoi(code)
	if !envelope.IsEmpty(m.RequestID) {
		// Ids that are neither text nor a number are not ours, but they tell a
		// reply from a broadcast.
		id, ok := envelope.Name(m.RequestID)
		if !ok {
			id = string(m.RequestID)
		}
		e.requestID = id
	}
	if m.Payload != nil {
		e.payload = json.RawMessage(m.Payload)
	}
	if e.requestID == "" {
		e.readAdded(data)
	}
	return e, nil
}

// addedBytes is more than the keys take that may come after those of an envelope.
const addedBytes = 128

// readAdded reads the keys that may come after those of an envelope (protocol 13.3, 14.2 and 14.5).
func (e *incoming) readAdded(data []byte) {
	tail := data[max(0, len(data)-addedBytes):]
	if !bytes.Contains(tail, []byte(`"offset"`)) && !bytes.Contains(tail, []byte(`"gap"`)) {
		return // as most messages
	}
	var added struct {
		position
		Gap *uint64 `json:"gap"`
	}
	if json.Unmarshal(data, &added) == nil {
		e.position, e.gap = added.position, added.Gap
	}
}

// statusError returns the envelope as the error it stands for, nil if none.
func (e *incoming) statusError() error {
	if e.code < 400 {
		return nil
	}
	return &StatusError{Code: e.code, Status: e.status, Service: e.service, Topic: e.topic, Payload: e.payload}
}

// appendAuthentication appends the message that hands over a token, with a request id
// and a payload in JSON unless they are empty. The key must be spelled "service" (protocol 4.1).
func appendAuthentication(dst []byte, t Token, id, payload string) []byte {
	dst = append(dst, `{"service":"authentication",`...)
	if id != "" {
		dst = append(dst, `"request_id":`...)
		dst = append(envelope.AppendString(dst, id), ',')
	}
	dst = append(dst, `"token":{"name":`...)
	dst = envelope.AppendString(dst, t.Name)
	dst = append(dst, `,"hash":`...)
	dst = envelope.AppendString(dst, t.Hash)
	dst = append(dst, '}')
	if payload != "" {
		dst = append(append(dst, `,"payload":`...), payload...)
	}
	return append(dst, '}')
}

// encodeRequest returns a request as the router takes it, which drops without an
// answer what it cannot read: so the message is read back here.
func encodeRequest(id, service, topic string, payload any) ([]byte, error) {
	body := []byte("{}") // what the pages send for nothing
	if payload != nil {
		var err error
		if body, err = json.Marshal(payload); err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
	}
	b := make([]byte, 0, len(body)+len(id)+len(service)+len(topic)+64)
	b = append(b, `{"request_id":`...)
	b = envelope.AppendString(b, id)
	b = append(b, `,"service":`...)
	b = envelope.AppendString(b, service)
	b = append(b, `,"topic":`...)
	b = envelope.AppendString(b, topic)
	b = append(b, `,"payload":`...)
	b = append(b, body...)
	b = append(b, '}')
	if _, err := envelope.Decode(b, envelope.MaxDepth); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	return b, nil
}
