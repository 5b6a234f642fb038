package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"strowger/actors/envelope"
)

// Why a payload that encoding/json takes is refused all the same: it would end the connection of
// everybody who gets it.
var (
	errSyntax = errors.New("raw JSON is not valid")
	errUTF8   = errors.New("JSON is not UTF-8")
	errDepth  = fmt.Errorf("JSON is nested deeper than %d levels", deepest)
)

// deepest is how deep a payload may be nested; the envelope around it is one level more.
const deepest = envelope.MaxDepth - 1

// encode writes a payload as JSON; nil for null.
func encode(payload any) (envelope.Raw, error) {
	raw, err := marshal(payload)
	switch {
	case err != nil:
		return nil, fmt.Errorf("encode payload: %w", err)
	case !utf8.Valid(raw):
		return nil, fmt.Errorf("encode payload: %w", errUTF8)
	case len(raw) > 2*deepest && depth(raw) > deepest:
		return nil, fmt.Errorf("encode payload: %w", errDepth)
	}
	return raw, nil
}

func marshal(payload any) (envelope.Raw, error) {
	switch p := payload.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return checked(envelope.Raw(p))
	case envelope.Raw:
		return checked(p)
	}
	return json.Marshal(payload)
}

func checked(raw envelope.Raw) (envelope.Raw, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if !json.Valid(raw) {
		return nil, errSyntax
	}
	return raw, nil
}

// depth is how deep valid JSON is nested.
func depth(raw []byte) int {
	depth, most, text := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			depth++
			most = max(most, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return most
}

// decode reads JSON into what v points to. An empty list stands for an empty object, as PHP has it.
func decode(raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return err
	}
	if string(raw) == "[]" {
		return nil
	}
	if misfit, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := "payload"
		if misfit.Field != "" {
			where = "payload." + misfit.Field
		}
		return fmt.Errorf("%s is %s, must be %s", where, misfit.Value, misfit.Type)
	}
	return fmt.Errorf("payload: %w", err)
}

// envelope is an answer to r with both of its ids as they came. A status of 0 means that it has none.
func (r *Request) envelope(topic envelope.Raw, status int, text, payload envelope.Raw) *envelope.Envelope {
	e := r.room()
	e.Payload = payload
	e.ServiceName = r.instance.name
	e.RequestID = r.asked.Envelope.RequestID
	e.ResourceID = r.asked.Envelope.ResourceID
	e.Topic = topic
	if status != 0 {
		e.StatusString, e.StatusCode = text, statusCode(status)
	}
	return e
}

// room returns an empty envelope. That of the first answer is part of the request.
func (r *Request) room() *envelope.Envelope {
	r.mu.Lock()
	again := r.spoken
	r.spoken = true
	r.mu.Unlock()
	if again {
		return new(envelope.Envelope)
	}
	return &r.first
}

// own is an answer that the service did not give; nil where nobody waits for one.
func (r *Request) own(s envelope.Status, payload envelope.Raw) *envelope.Envelope {
	if !r.waits {
		return nil
	}
	return r.envelope(r.asked.Envelope.Topic, s.Code, statusString(s.Code), payload)
}

// broadcast is a message to all subscribers. A status of 0 means that it has none, as most of those of PHP services.
func (i *Instance) broadcast(topic string, status int, payload envelope.Raw) *envelope.Envelope {
	e := &envelope.Envelope{ServiceName: i.name, Topic: envelope.QuoteString(topic), Payload: payload}
	if status != 0 {
		e.StatusString, e.StatusCode = replyString(status), statusCode(status)
	}
	return e
}

// What nearly all answers say. Nobody changes what an envelope points to.
var (
	rawOK  = envelope.Raw(`"ok"`)
	raw200 = envelope.Raw(`200`)
)

func statusCode(status int) envelope.Raw {
	if status == 200 {
		return raw200
	}
	return strconv.AppendInt(nil, int64(status), 10)
}

// replyString is the status_string of what a service says with a status and a payload of its own.
func replyString(status int) envelope.Raw {
	if status < 400 {
		return rawOK
	}
	return envelope.Raw(`"error"`)
}

// statusString is what pages judge an answer by.
func statusString(status int) envelope.Raw {
	switch {
	case status < 400:
		return rawOK
	case status == envelope.BadRequest.Code, status == envelope.Unauthorized.Code, status == envelope.Forbidden.Code:
		return envelope.Raw(`""`)
	}
	return envelope.Raw(`"error"`)
}
