package envelope

import "strconv"

// Status is an answer that the router gives by itself (protocol 7). Values are comparable.
type Status struct {
	Code int    // as in HTTP
	Text string // what status_string says
	// Topic and Service override those of the message that is answered, where not empty.
	Topic, Service string
}

// The router's own answers.
var (
	AuthenticationRequired = Status{Code: 407, Text: "Authentication Required", Topic: "authenticate", Service: "authentication"}
	Authenticated          = Status{Code: 200, Text: "OK", Topic: "authenticated"}
	Offered                = Status{Code: 200, Text: "OK"}
	Unauthorized           = Status{Code: 401, Topic: "unauthorized"}
	BadRequest             = Status{Code: 400, Service: "INVALID"}
	Forbidden              = Status{Code: 403}
	NotFound               = Status{Code: 404, Text: "error"}
	InternalError          = Status{Code: 500, Text: "error"}
	Unavailable            = Status{Code: 503, Text: "error"}
	DeadlineExceeded       = Status{Code: 504, Text: "error"}
)

// Answer returns the envelope that says s in answer to e, which may be nil for an unprompted one:
// payload null, the request id echoed as it came, nothing else of e but its topic and service.
func (s Status) Answer(e *Envelope) *Envelope {
	a := &Envelope{StatusString: QuoteString(s.Text), StatusCode: strconv.AppendInt(nil, int64(s.Code), 10)}
	if e != nil {
		a.RequestID, a.Topic, a.ServiceName = e.RequestID, e.Topic, e.ServiceName
	}
	if s.Topic != "" {
		a.Topic = QuoteString(s.Topic)
	}
	if s.Service != "" {
		a.ServiceName = QuoteString(s.Service)
	}
	return a
}
