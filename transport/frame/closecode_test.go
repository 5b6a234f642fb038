package frame

import (
	"encoding/binary"
	"testing"
)

// closeCodes are all close codes of the package with the reasons they are sent with, by name.
var closeCodes = map[string]struct {
	code   CloseCode
	value  uint16
	reason string
}{
	"CloseNone":          {CloseNone, 0, ""},
	"CloseNormal":        {CloseNormal, 1000, ""},
	"CloseGoingAway":     {CloseGoingAway, 1001, "router stops"},
	"CloseProtocolError": {CloseProtocolError, 1002, "protocol error"},
	"CloseInvalidData":   {CloseInvalidData, 1007, "text is not UTF-8"},
	"CloseTooBig":        {CloseTooBig, 1009, "message too big"},
	"CloseInternalError": {CloseInternalError, 1011, "internal error"},
	"CloseTryLater":      {CloseTryLater, 1013, "try again later"},
	"CloseTokenExpired":  {CloseTokenExpired, 4001, "token expired"},
	"CloseAuthTimeout":   {CloseAuthTimeout, 4002, "not authenticated in time"},
	"CloseAuthAttempts":  {CloseAuthAttempts, 4003, "too many authentication attempts"},
	"CloseIdle":          {CloseIdle, 4005, "no sign of life"},
	"CloseResumed":       {CloseResumed, 4006, "resumed on another connection"},
}

func TestCloseFrame(t *testing.T) {
	for name, c := range closeCodes {
		t.Run(name, func(t *testing.T) {
			if uint16(c.code) != c.value || c.code.Reason() != c.reason {
				t.Fatalf("got %d %q, want %d %q", c.code, c.code.Reason(), c.value, c.reason)
			}
			f := parseFrame(t, Closing(c.code))
			if f.op != OpClose || len(f.payload) > MaxControl {
				t.Fatalf("got opcode %d with %d bytes", f.op, len(f.payload))
			}
			if c.code == CloseNone {
				if len(f.payload) != 0 {
					t.Errorf("got %q, want nothing", f.payload)
				}
				return
			}
			if want := string(binary.BigEndian.AppendUint16(nil, c.value)) + c.reason; string(f.payload) != want {
				t.Errorf("got %q, want %q", f.payload, want)
			}
		})
	}
}

func TestCloseFrameOfAnEchoedCode(t *testing.T) {
	for code, want := range map[uint16]string{0: "", 1000: "\x03\xe8", 1001: "\x03\xe9router stops", 3000: "\x0b\xb8", 4999: "\x13\x87", 1006: "\x03\xeaprotocol error"} {
		if got := parseFrame(t, Closing(EchoClose(code))).payload; string(got) != want {
			t.Errorf("%d: got %q, want %q", code, got, want)
		}
	}
}

func TestCloseCodeString(t *testing.T) {
	for code, want := range map[CloseCode]string{CloseNone: "0", CloseNormal: "1000", CloseIdle: "4005 no sign of life", 3000: "3000"} {
		if got := code.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEchoClose(t *testing.T) {
	// The codes that RFC 6455 section 7.4 and the registry it founded let a peer send.
	allowed := func(code int) bool {
		switch {
		case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
			return true
		}
		return false
	}
	for code := 1; code <= 0xFFFF; code++ {
		want := CloseProtocolError
		if allowed(code) {
			want = CloseCode(code)
		}
		if got := EchoClose(uint16(code)); got != want {
			t.Errorf("%d: got %d, want %d", code, got, want)
		}
	}
	if got := EchoClose(0); got != CloseNone {
		t.Errorf("no code: got %d, want %d", got, CloseNone)
	}
}
