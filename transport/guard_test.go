package transport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"strowger/transport/wire"
)

const (
	text         = 0x80 | byte(wire.OpText)
	pong         = 0x80 | byte(wire.OpPong)
	ping         = 0x80 | byte(wire.OpPing)
	bye          = 0x80 | byte(wire.OpClose)
	openText     = byte(wire.OpText)
	openMore     = byte(wire.OpContinuation)
	lastFragment = 0x80 | byte(wire.OpContinuation)
)

// passed reads everything through a guard, into buffers of size bytes.
func passed(r io.Reader, size int, limit int64) ([]byte, error) {
	var (
		g    guard
		kept []byte
	)
	for {
		p := make([]byte, size)
		n, err := g.read(r, p, func() int64 { return limit })
		kept = append(kept, p[:n]...)
		if err != nil {
			return kept, err
		}
	}
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func TestGuard(t *testing.T) {
	hello := masked(text, []byte("hello"))
	long := masked(text, bytes.Repeat([]byte("l"), 70_000))
	tests := []struct {
		name  string
		in    []byte
		limit int64
		kept  []byte
		err   string // of a violation; "" for the end of the stream
		code  int    // of an unmasked close; -1: none
	}{
		{name: "nothing", code: -1},
		{name: "one message", in: hello, kept: hello, code: -1},
		{name: "longest message", in: hello, limit: 5, kept: hello, code: -1},
		{name: "what is behind a close frame does not count", in: join(hello, masked(bye, []byte{3, 232}), []byte{0xFF, 0xFF, 0xFF}), kept: join(hello, masked(bye, []byte{3, 232})), code: -1},
		{name: "too long", in: join(hello, masked(text, []byte("hello!"))), limit: 5, kept: hello, err: "1009", code: -1},
		{name: "long lengths", in: join(long, masked(text, make([]byte, 126)), hello), kept: join(long, masked(text, make([]byte, 126)), hello), code: -1},
		{name: "negative length", in: []byte{0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}, err: "1002", code: -1},
		{name: "smallest negative length", in: []byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, err: "1002", code: -1},
		{name: "largest length", in: []byte{0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}, err: "1009", code: -1},
		{name: "fragments whose sum overflows", in: join(masked(openText, []byte("a")), []byte{0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}), kept: masked(openText, []byte("a")), err: "1009", code: -1},
		{name: "16 bits for a short length", in: []byte{0x82, 0xFE, 0, 125, 1, 2, 3, 4}, err: "1002", code: -1},
		{name: "64 bits for a short length", in: []byte{0x82, 0xFF, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4}, err: "1002", code: -1},
		{name: "unmasked text", in: join(hello, unmasked(text, []byte("x"))), kept: hello, err: "1002", code: -1},
		{name: "unmasked ping", in: unmasked(ping, nil), err: "1002", code: -1},
		{name: "masked controls", in: join(masked(pong, nil), masked(ping, []byte("p")), masked(bye, nil)), kept: join(masked(pong, nil), masked(ping, []byte("p")), masked(bye, nil)), code: -1},
		{name: "unmasked pongs", in: join(unmasked(pong, nil), hello, unmasked(pong, []byte("abc")), unmasked(pong, nil), hello), kept: join(hello, hello), code: -1},
		{name: "unmasked pong amid fragments", in: join(masked(openText, []byte("a")), unmasked(pong, []byte("x")), masked(lastFragment, []byte("b"))), kept: join(masked(openText, []byte("a")), masked(lastFragment, []byte("b"))), code: -1},
		{name: "unmasked close without code", in: join(hello, unmasked(bye, nil), hello), kept: hello, code: 0},
		{name: "unmasked close with half a code", in: unmasked(bye, []byte{3}), code: 0},
		{name: "unmasked close with code", in: join(hello, unmasked(bye, []byte("\x03\xe8bye")), hello), kept: hello, code: 1000},
		{name: "fragments", in: join(masked(openText, []byte("a")), masked(openMore, nil), masked(ping, nil), masked(lastFragment, []byte("b")), hello), limit: 5, kept: join(masked(openText, []byte("a")), masked(openMore, nil), masked(ping, nil), masked(lastFragment, []byte("b")), hello), code: -1},
		{name: "fragments too long together", in: join(masked(openText, []byte("abc")), masked(lastFragment, []byte("def"))), limit: 5, kept: masked(openText, []byte("abc")), err: "1009", code: -1},
		{name: "continuation of nothing", in: masked(lastFragment, nil), err: "1002", code: -1},
		{name: "message amid fragments", in: join(masked(openText, nil), hello), kept: masked(openText, nil), err: "1002", code: -1},
		{name: "reserved bit", in: masked(text|0x40, nil), err: "1002", code: -1},
		{name: "reserved data opcode", in: masked(0x83, nil), err: "1002", code: -1},
		{name: "reserved control opcode", in: unmasked(0x8B, nil), err: "1002", code: -1},
		{name: "fragmented pong", in: unmasked(byte(wire.OpPong), nil), err: "1002", code: -1},
		{name: "long control frame", in: unmasked(pong, make([]byte, 126)), err: "1002", code: -1},
		{name: "cut inside a header", in: join(hello, []byte{text}), kept: hello, code: -1},
		{name: "cut inside a payload", in: hello[:len(hello)-2], kept: hello[:len(hello)-2], code: -1},
	}
	for _, tt := range tests {
		if tt.limit == 0 {
			tt.limit = 1 << 20
		}
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole": bytes.NewReader(tt.in), "bytewise": iotest.OneByteReader(bytes.NewReader(tt.in)),
				"end with data": iotest.DataErrReader(bytes.NewReader(tt.in)),
			} {
				kept, err := passed(r, readBuffer, tt.limit)
				if !bytes.Equal(kept, tt.kept) {
					t.Errorf("%s: kept %d bytes, want %d", how, len(kept), len(tt.kept))
				}
				checkGuardError(t, how, err, tt.err, tt.code)
			}
		})
	}
}

func checkGuardError(t *testing.T, how string, err error, violates string, code int) {
	t.Helper()
	var (
		bad    *violation
		closed *unmaskedClose
	)
	switch {
	case violates != "":
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), violates) {
			t.Errorf("%s: error %v, want violation %s", how, err, violates)
		}
	case code >= 0:
		if !errors.As(err, &closed) || int(closed.code) != code {
			t.Errorf("%s: error %v, want unmasked close %d", how, err, code)
		}
	case err != io.EOF:
		t.Errorf("%s: error %v, want EOF", how, err)
	}
}

// cutter hands out what it reads in pieces whose lengths it is told.
type cutter struct {
	data []byte
	cuts []byte
	at   int
}

func (c *cutter) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := len(c.data)
	if len(c.cuts) > 0 {
		n = int(c.cuts[c.at%len(c.cuts)])%64 + 1
		c.at++
	}
	n = min(n, len(c.data), len(p))
	copy(p, c.data[:n])
	c.data = c.data[n:]
	return n, nil
}

func FuzzGuard(f *testing.F) {
	hello := masked(text, []byte("hello"))
	for _, seed := range [][]byte{
		hello, join(unmasked(pong, []byte("abc")), hello), join(hello, unmasked(bye, []byte("\x03\xe8"))),
		{0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4},
		join(masked(openText, []byte("a")), []byte{0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}),
		join(masked(openText, []byte("a")), unmasked(pong, nil), masked(lastFragment, []byte("b"))),
		masked(text, make([]byte, 300)), masked(text, make([]byte, 70_000)), {text}, unmasked(0x8B, nil),
	} {
		f.Add(seed, []byte{0}, uint32(1<<20), byte(0))
		f.Add(seed, []byte{1, 6, 2}, uint32(200), byte(9))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, limit uint32, extra byte) {
		whole, wholeErr := passed(bytes.NewReader(stream), len(stream)+15, int64(limit))
		size := 15 + int(extra) // longer than a header
		cut, cutErr := passed(&cutter{data: stream, cuts: cuts}, size, int64(limit))
		if !bytes.Equal(whole, cut) || wholeErr.Error() != cutErr.Error() {
			t.Fatalf("in one piece %d bytes, %v; in pieces %d bytes, %v", len(whole), wholeErr, len(cut), cutErr)
		}
		if !inOrder(whole, stream) {
			t.Fatal("kept bytes are not in the stream in this order")
		}
		checkKept(t, whole, int64(limit))
	})
}

// inOrder reports whether part can be had from whole by leaving bytes out.
func inOrder(part, whole []byte) bool {
	for _, c := range part {
		i := bytes.IndexByte(whole, c)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

// checkKept walks over what the library would see, and finds nothing it could trip over.
func checkKept(t *testing.T, b []byte, limit int64) {
	t.Helper()
	for len(b) > 0 {
		n := headerLen(b)
		if n == 0 {
			t.Fatalf("part of a header kept: % x", b)
		}
		length, err := payloadLen(b[:n])
		if err != nil || b[1]&0x80 == 0 || length > max(limit, wire.MaxControl) {
			t.Fatalf("bad header kept: % x, length %d, err %v", b[:n], length, err)
		}
		b = b[min(int64(len(b)), int64(n)+length):]
	}
}
