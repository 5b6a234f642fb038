package transport

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/transport/frame"
)

// enveloped returns an envelope whose JSON text has so many bytes.
func enveloped(t *testing.T, size int) *envelope.Envelope {
	t.Helper()
	e := &envelope.Envelope{ID: envelope.Raw(`0`), Payload: envelope.Raw(`""`)}
	e.Payload = envelope.Raw(`"` + strings.Repeat("x", size-len(e.Append(nil))) + `"`)
	if n := len(e.Append(nil)); n != size {
		t.Fatalf("the envelope has %d bytes, want %d", n, size)
	}
	return e
}

// encoder is an egress that does nothing but encode.
func encoder() *Egress {
	limits := new(atomic.Pointer[Limits])
	limits.Store(testLimits())
	return &Egress{limits: limits}
}

// An envelope is encoded with one allocation. Its form is one text frame that ends with the JSON text.
func TestEncode(t *testing.T) {
	egress := encoder()
	for _, size := range []int{256, 65534, 65535, 65536, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			e := enveloped(t, size)
			m := egress.Encode(e, nil)
			if want := frame.Append(nil, frame.OpText, e.Append(nil)); !bytes.Equal(m.Form, want) {
				t.Errorf("the form is not the frame: % x...", m.Form[:12])
			}
			if !bytes.Equal(m.Text(), e.Append(nil)) {
				t.Errorf("the text is not the envelope: %.20q...", m.Text())
			}
			if n := testing.AllocsPerRun(20, func() { egress.Encode(e, nil) }); n > 1 {
				t.Errorf("%v allocations, want 1", n)
			}
		})
	}
}

// Each reason of the actors has a close code of its own.
func TestEveryEndHasACloseCode(t *testing.T) {
	s := &socket{reader: &reader{last: frame.CloseProtocolError}}
	seen := map[frame.CloseCode]actors.End{}
	for end := actors.ReadOver; end <= actors.Moved; end++ {
		code := s.codeOf(end)
		if before, again := seen[code]; again || code == frame.CloseNone {
			t.Errorf("%s is closed with %s, like %s", end, code, before)
		}
		seen[code] = end
	}
	if seen[frame.CloseProtocolError] != actors.ReadOver {
		t.Error("the end of the reading is not closed with what the reader found")
	}
}

func BenchmarkEncode(b *testing.B) {
	egress := encoder()
	e := &envelope.Envelope{Payload: envelope.Raw(`"` + strings.Repeat("x", 600) + `"`), ServiceName: envelope.Raw(`"active.calls"`), Topic: envelope.Raw(`"CHANNEL_CALLSTATE"`)}
	b.ReportAllocs()
	for b.Loop() {
		egress.Encode(e, nil)
	}
}
