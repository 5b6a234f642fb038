package frame

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame is what parseFrame reads.
type frame struct {
	op      Opcode
	header  int // bytes
	payload []byte
}

// parseFrame reads the one frame that b must be: final, unmasked, its length in the shortest form.
func parseFrame(t *testing.T, b []byte) frame {
	t.Helper()
	if len(b) < 2 || b[0]&0xF0 != 0x80 || b[1]&0x80 != 0 {
		t.Fatalf("got % x...: not a final unmasked frame", b[:min(len(b), 4)])
	}
	f := frame{op: Opcode(b[0] & 0x0F), header: 2}
	n := uint64(b[1])
	switch {
	case n == 126:
		f.header, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
		if n < 126 {
			t.Fatalf("%d bytes in a 16-bit length", n)
		}
	case n == 127:
		f.header, n = 10, binary.BigEndian.Uint64(b[2:])
		if n <= 0xFFFF {
			t.Fatalf("%d bytes in a 64-bit length", n)
		}
	}
	f.payload = b[f.header:]
	if uint64(len(f.payload)) != n {
		t.Fatalf("the header says %d bytes, there are %d", n, len(f.payload))
	}
	return f
}

// headers are the header lengths of payloads, in bytes.
var headers = []struct{ payload, header int }{
	{0, 2}, {1, 2}, {124, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {65537, 10}, {1 << 20, 10},
}

func TestAppendFrame(t *testing.T) {
	for _, c := range headers {
		for _, op := range []Opcode{OpText, OpBinary, OpPong} {
			payload := bytes.Repeat([]byte("x"), c.payload)
			b := Append([]byte("before"), op, payload)
			f := parseFrame(t, bytes.TrimPrefix(b, []byte("before")))
			if f.op != op || f.header != c.header || !bytes.Equal(f.payload, payload) {
				t.Errorf("%d bytes: got opcode %d, a header of %d bytes and %d bytes", c.payload, f.op, f.header, len(f.payload))
			}
		}
	}
}

func TestFrameInPlace(t *testing.T) {
	for _, c := range headers {
		payload := bytes.Repeat([]byte("x"), c.payload)
		room := append(make([]byte, MaxHeader), payload...)
		b, begin := InPlace(room, OpText)
		f := parseFrame(t, b)
		if f.op != OpText || f.header != c.header || begin != c.header || !bytes.Equal(f.payload, payload) {
			t.Errorf("%d bytes: got opcode %d, a header of %d bytes, the payload from %d on and %d bytes", c.payload, f.op, f.header, begin, len(f.payload))
		}
		if &b[len(b)-1] != &room[len(room)-1] {
			t.Errorf("%d bytes: the payload was copied", c.payload)
		}
	}
}

func TestOpcodeIsControl(t *testing.T) {
	for op, want := range map[Opcode]bool{OpContinuation: false, OpText: false, OpBinary: false, OpClose: true, OpPing: true, OpPong: true} {
		if got := op.IsControl(); got != want {
			t.Errorf("opcode %#x: got %t, want %t", byte(op), got, want)
		}
	}
}
