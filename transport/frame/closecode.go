package frame

import "fmt"

// CloseCode is the status code of a close frame: RFC 6455 section 7.4.1 below 4000, ours above.
type CloseCode uint16

// The codes the router closes connections with. 4000 to 4099 are strowger's own.
const (
	CloseNone          CloseCode = 0 // a close frame without a code
	CloseNormal        CloseCode = 1000
	CloseGoingAway     CloseCode = 1001 // the daemon stops; come back soon
	CloseProtocolError CloseCode = 1002
	CloseInvalidData   CloseCode = 1007 // a text frame that is not UTF-8
	CloseTooBig        CloseCode = 1009
	CloseInternalError CloseCode = 1011 // the connection's actor crashed; come back
	CloseTryLater      CloseCode = 1013 // connections that have not authenticated hold too much; come back
	CloseTokenExpired  CloseCode = 4001 // come back with a fresh token
	CloseAuthTimeout   CloseCode = 4002
	CloseAuthAttempts  CloseCode = 4003
	CloseIdle          CloseCode = 4005 // not even a pong came
	CloseResumed       CloseCode = 4006 // its session goes on over another connection; come back with a fresh token
)

var closeReasons = map[CloseCode]string{
	CloseNone:          "",
	CloseNormal:        "",
	CloseGoingAway:     "router stops",
	CloseProtocolError: "protocol error",
	CloseInvalidData:   "text is not UTF-8",
	CloseTooBig:        "message too big",
	CloseInternalError: "internal error",
	CloseTryLater:      "try again later",
	CloseTokenExpired:  "token expired",
	CloseAuthTimeout:   "not authenticated in time",
	CloseAuthAttempts:  "too many authentication attempts",
	CloseIdle:          "no sign of life",
	CloseResumed:       "resumed on another connection",
}

// Reason returns the text that a close frame carries behind the code; it is empty for the codes
// that are merely echoed.
func (c CloseCode) Reason() string { return closeReasons[c] }

// String returns the code and its reason, for logs.
func (c CloseCode) String() string {
	if r := c.Reason(); r != "" {
		return fmt.Sprintf("%d %s", uint16(c), r)
	}
	return fmt.Sprint(uint16(c))
}

// EchoClose returns the code to answer a peer's close frame with: the peer's own, or
// CloseProtocolError where RFC 6455 section 7.4 does not let a peer send it.
func EchoClose(code uint16) CloseCode {
	switch {
	case code == 0:
		return CloseNone
	case code < 1000, code == 1004, code == 1005, code == 1006, code > 1014 && code < 3000, code >= 5000:
		return CloseProtocolError
	}
	return CloseCode(code)
}
