package load

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// unmasked turns a client's frame into a server's.
func unmasked(payload string) []byte {
	frame := AppendText(nil, []byte(payload))
	mask := len(frame) - len(payload) - 4
	frame[1] &^= maskBit
	return append(frame[:mask:mask], payload...)
}

func TestCutFrame(t *testing.T) {
	tests := map[string]struct {
		in      []byte
		opcode  byte
		payload string
		rest    int
		err     error
	}{
		"nothing":          {},
		"one byte":         {in: []byte{0x81}, rest: 1},
		"short":            {in: unmasked("hello"), opcode: opText, payload: "hello"},
		"empty":            {in: unmasked(""), opcode: opText},
		"126 bytes":        {in: unmasked(strings.Repeat("x", 126)), opcode: opText, payload: strings.Repeat("x", 126)},
		"70,000 bytes":     {in: unmasked(strings.Repeat("x", 70_000)), opcode: opText, payload: strings.Repeat("x", 70_000)},
		"with a rest":      {in: append(unmasked("a"), 0x81, 0x05, 'x'), opcode: opText, payload: "a", rest: 3},
		"cut in the head":  {in: unmasked(strings.Repeat("x", 200))[:3], rest: 3},
		"cut in the data":  {in: unmasked("hello")[:5], rest: 5},
		"ping":             {in: []byte{0x89, 0x01, 'p'}, opcode: opPing, payload: "p"},
		"length too large": {in: []byte{0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, rest: 10},
		"masked":           {in: AppendText(nil, []byte("x")), rest: 7, err: errMasked},
		"fragment":         {in: []byte{0x01, 0x01, 'x'}, rest: 3, err: errFragmented},
		"continuation":     {in: []byte{0x80, 0x01, 'x'}, rest: 3, err: errFragmented},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opcode, payload, rest, err := cutFrame(test.in)
			if opcode != test.opcode || string(payload) != test.payload || len(rest) != test.rest || !errors.Is(err, test.err) {
				t.Fatalf("got opcode %d, %d bytes, %d left, %v; want %d, %d, %d, %v", opcode, len(payload), len(rest), err,
					test.opcode, len(test.payload), test.rest, test.err)
			}
		})
	}
}

func TestMark(t *testing.T) {
	message := append(bytes.Repeat([]byte("x"), 10+MarkSize), '"')
	want := Mark{Seq: 0xdeadbeef, Sent: 123_456_789_012}
	want.Put(message[10:])
	for _, hint := range []int{0, 10, 11, 1000} {
		got, start, end, err := FindMark(message, hint)
		if got != want || start != 10 || end != 10+MarkSize || err != nil {
			t.Errorf("hint %d: got %+v at %d to %d, %v", hint, got, start, end, err)
		}
	}
	if _, _, end, err := FindMark([]byte("nothing here"), 3); end != 0 || err != nil {
		t.Errorf("without a mark: got end %d, %v", end, err)
	}
	if _, _, _, err := FindMark(message[:20], 0); !errors.Is(err, errMark) {
		t.Errorf("with half a mark: got %v", err)
	}
	message[15] = 'g'
	if _, _, _, err := FindMark(message, 0); !errors.Is(err, errMark) {
		t.Errorf("with a broken mark: got %v", err)
	}
}
