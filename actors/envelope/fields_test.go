package envelope

import "testing"

// envelopeKeys are the keys of an envelope in the order of protocol 3.1, each with the default
// that is written when it is absent, the other spellings that are read, and its field. The default
// of id is empty here, for it is a fresh one each time.
var envelopeKeys = []struct {
	name, absent, alias string
	raw                 func(*Envelope) *Raw
}{
	{"id", ``, "", func(e *Envelope) *Raw { return &e.ID }},
	{"payload", `null`, "", func(e *Envelope) *Raw { return &e.Payload }},
	{"service_name", `""`, "service", func(e *Envelope) *Raw { return &e.ServiceName }},
	{"token_name", `""`, "token.name", func(e *Envelope) *Raw { return &e.TokenName }},
	{"token_hash", `""`, "token.hash", func(e *Envelope) *Raw { return &e.TokenHash }},
	{"status_string", `""`, "statusString", func(e *Envelope) *Raw { return &e.StatusString }},
	{"status_code", `""`, "statusCode", func(e *Envelope) *Raw { return &e.StatusCode }},
	{"request_id", `""`, "", func(e *Envelope) *Raw { return &e.RequestID }},
	{"resource_id", `""`, "", func(e *Envelope) *Raw { return &e.ResourceID }},
	{"domain_uuid", `""`, "", func(e *Envelope) *Raw { return &e.DomainUUID }},
	{"domain_name", `""`, "", func(e *Envelope) *Raw { return &e.DomainName }},
	{"permissions", `[]`, "", func(e *Envelope) *Raw { return &e.Permissions }},
	{"topic", `""`, "", func(e *Envelope) *Raw { return &e.Topic }},
}

// present returns the raw values of the fields that are not absent, by the key they are written as.
func present(e *Envelope) map[string]string {
	values := map[string]string{}
	for _, k := range envelopeKeys {
		if raw := *k.raw(e); raw != nil {
			values[k.name] = string(raw)
		}
	}
	return values
}

// mustDecode decodes with the greatest depth and ends the test on an error.
func mustDecode(t *testing.T, data string) *Message {
	t.Helper()
	m, err := Decode([]byte(data), MaxDepth)
	if err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return m
}

// What somebody appends to one value does not run into the next one.
func TestValuesHaveNoRoom(t *testing.T) {
	m, err := Decode([]byte(`{"payload":{"a":1},"topic":"t","request_id":"1"}`), MaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	topic, _ := View(m.Topic)
	_ = append(m.Payload, `,"topic":"forged"`...)
	if topic != "t" || string(m.RequestID) != `"1"` {
		t.Errorf("topic %s, request id %s; want t and \"1\"", topic, m.RequestID)
	}
}
