package client

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Reply is a service's answer to a request.
type Reply struct {
	Service string
	Topic   string
	Status  string
	// Code is as in HTTP and below 400; 0 when the service gave none.
	Code int
	// Payload is the answer itself as JSON, null when there was none.
	Payload json.RawMessage
}

// Decode stores the payload in v as json.Unmarshal does. A PHP service writes an
// empty object as an empty list.
func (r *Reply) Decode(v any) error {
	if r == nil {
		return errors.New("decode payload: the reply is nil")
	}
	if err := json.Unmarshal(r.Payload, v); err != nil {
		return fmt.Errorf("decode payload of service %q, topic %q: %w", r.Service, r.Topic, err)
	}
	return nil
}

// reply returns the envelope as a reply, or as the error it stands for.
func (e *incoming) reply() (*Reply, error) {
	if err := e.statusError(); err != nil {
		return nil, err
	}
	return &Reply{Service: e.service, Topic: e.topic, Status: e.status, Code: e.code, Payload: e.payload}, nil
}
