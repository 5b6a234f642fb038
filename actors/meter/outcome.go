package meter

// Outcome says what became of a request.
type Outcome int

// The outcomes. String returns the label.
const (
	Answered    Outcome = iota // the service replied, without a status or with one below 400
	ClientError                // the service replied with a status from 400 to 499
	ServerError                // the service replied with a status from 500 on, but 504
	Timeout                    // there was no reply in time, or the service replied with 504
	Forbidden                  // a policy refused the request
	Filtered                   // a policy dropped the reply
	Busy                       // there was no room: limits.pending_requests, or a slow service
	Unserved                   // nobody offers the service
	Lost                       // the only instance that had it has left or was ejected
	HandedOn                   // its instance has left or was ejected, and another one got it
	Ejected                    // all instances are ejected
	Left                       // the client left before the reply
	Outcomes                   // how many there are
)

// String returns the outcome as a label.
func (o Outcome) String() string {
	return [Outcomes]string{"answered", "client_error", "server_error", "timeout", "forbidden", "filtered", "busy", "unserved",
		"lost", "handed_on", "ejected", "left"}[o]
}

// OutcomeOf returns the outcome of a reply with a status code as it stands in the envelope.
func OutcomeOf(code []byte) Outcome {
	switch {
	case len(code) != 3 || code[0] < '4':
		return Answered
	case code[0] == '4':
		return ClientError
	case string(code) == "504":
		return Timeout
	}
	return ServerError
}
