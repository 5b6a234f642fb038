package envelope

import (
	"maps"
	"testing"
)

func TestStatusAnswer(t *testing.T) {
	type fields = map[string]string
	request := &Envelope{ID: Raw(`"i"`), Payload: Raw(`{"a":1}`), ServiceName: Raw(`"weather"`), TokenName: Raw(`"n"`), TokenHash: Raw(`"h"`),
		StatusString: Raw(`"ok"`), StatusCode: Raw(`200`), RequestID: Raw(`2.0`), ResourceID: Raw(`"r"`), DomainUUID: Raw(`"u"`),
		DomainName: Raw(`"d"`), Permissions: Raw(`{"p":true}`), Topic: Raw(`"today"`)}
	for _, c := range []struct {
		name   string
		status Status
		to     *Envelope
		want   fields
	}{
		{"407 unprompted", AuthenticationRequired, nil,
			fields{"status_string": `"Authentication Required"`, "status_code": `407`, "service_name": `"authentication"`, "topic": `"authenticate"`}},
		{"407 to a message", AuthenticationRequired, request,
			fields{"status_string": `"Authentication Required"`, "status_code": `407`, "service_name": `"authentication"`, "topic": `"authenticate"`, "request_id": `2.0`}},
		{"200", Authenticated, request, fields{"status_string": `"OK"`, "status_code": `200`, "service_name": `"weather"`, "topic": `"authenticated"`, "request_id": `2.0`}},
		{"401", Unauthorized, request, fields{"status_string": `""`, "status_code": `401`, "service_name": `"weather"`, "topic": `"unauthorized"`, "request_id": `2.0`}},
		{"400", BadRequest, request, fields{"status_string": `""`, "status_code": `400`, "service_name": `"INVALID"`, "topic": `"today"`, "request_id": `2.0`}},
		{"400 to an empty message", BadRequest, &Envelope{}, fields{"status_string": `""`, "status_code": `400`, "service_name": `"INVALID"`}},
		{"403", Forbidden, request, fields{"status_string": `""`, "status_code": `403`, "service_name": `"weather"`, "topic": `"today"`, "request_id": `2.0`}},
		{"404", NotFound, request, fields{"status_string": `"error"`, "status_code": `404`, "service_name": `"weather"`, "topic": `"today"`, "request_id": `2.0`}},
		{"500", InternalError, request, fields{"status_string": `"error"`, "status_code": `500`, "service_name": `"weather"`, "topic": `"today"`, "request_id": `2.0`}},
		{"503", Unavailable, request, fields{"status_string": `"error"`, "status_code": `503`, "service_name": `"weather"`, "topic": `"today"`, "request_id": `2.0`}},
		{"504", DeadlineExceeded, request, fields{"status_string": `"error"`, "status_code": `504`, "service_name": `"weather"`, "topic": `"today"`, "request_id": `2.0`}},
		{"text that needs quoting", Status{Code: 403, Text: `say "why"`}, nil, fields{"status_string": `"say \"why\""`, "status_code": `403`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := present(request)
			if got := present(c.status.Answer(c.to)); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if !maps.Equal(present(request), before) {
				t.Error("the message that is answered was changed")
			}
		})
	}
}
