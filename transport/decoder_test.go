package transport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"strowger/transport/frame"
)

const (
	text         = 0x80 | byte(frame.OpText)
	binaryFrame  = 0x80 | byte(frame.OpBinary)
	pong         = 0x80 | byte(frame.OpPong)
	ping         = 0x80 | byte(frame.OpPing)
	bye          = 0x80 | byte(frame.OpClose)
	openText     = byte(frame.OpText)
	openBinary   = byte(frame.OpBinary)
	openMore     = byte(frame.OpContinuation)
	lastFragment = 0x80 | byte(frame.OpContinuation)
)

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// found is what a decoder hands over, as lines.
type found struct {
	longest int64
	most    int
	events  []string
}

func (f *found) limit() int64        { return f.longest }
func (f *found) fragments() int      { return f.most }
func (f *found) message(data []byte) { f.events = append(f.events, "message "+string(data)) }
func (f *found) ping(payload []byte) { f.events = append(f.events, "ping "+string(payload)) }

// decode feeds the stream in pieces of the given lengths, over and over.
func decode(stream []byte, limit int64, cuts ...int) ([]string, error) {
	var (
		d decoder
		f = found{longest: limit}
	)
	for i := 0; len(stream) > 0; i++ {
		n := min(cuts[i%len(cuts)], len(stream))
		// A copy, which is spoilt afterwards: the bytes stay the caller's.
		piece := slices.Clone(stream[:n])
		err := d.feed(piece, &f)
		for i := range piece {
			piece[i] = '!'
		}
		if err != nil {
			return f.events, err
		}
		stream = stream[n:]
	}
	return f.events, nil
}

func TestDecoder(t *testing.T) {
	hello := masked(text, []byte("hello"))
	long := strings.Repeat("l", 70_000)
	tests := []struct {
		name  string
		in    []byte
		limit int64
		want  []string
		err   string // what the error begins with; "" for none
	}{
		{name: "nothing"},
		{name: "one message", in: hello, want: []string{"message hello"}},
		{name: "longest message", in: hello, limit: 5, want: []string{"message hello"}},
		{name: "bad text in a fragment", in: join(masked(openText, []byte("a\xC3(")), hello), err: "1007"},
		{name: "bad text in half a frame", in: masked(text, []byte("ab\xFFcd"))[:9], err: "1007"},
		{name: "half a character in a fragment", in: join(masked(openText, []byte("\xF0\x9F\x93")), masked(lastFragment, []byte("\x9E"))), want: []string{"message \U0001F4DE"}},
		{name: "half a character at the end", in: join(masked(openText, []byte("\xF0\x9F")), masked(lastFragment, []byte("\x93"))), err: "1007"},
		{name: "bad bytes in a binary fragment", in: join(masked(openBinary, []byte("\xFF")), masked(lastFragment, []byte("\xFE"))), want: []string{"message \xFF\xFE"}},
		{name: "binary is not looked into", in: masked(binaryFrame, []byte{0xC3, 0x28}), want: []string{"message \xC3\x28"}},
		{name: "empty messages", in: join(masked(text, nil), hello, masked(binaryFrame, nil)), want: []string{"message hello"}},
		{name: "too long", in: join(hello, masked(text, []byte("hello!"))), limit: 5, want: []string{"message hello"}, err: "1009"},
		{name: "long lengths", in: join(masked(text, []byte(long)), masked(text, []byte(long[:126])), hello), want: []string{"message " + long, "message " + long[:126], "message hello"}},
		{name: "negative length", in: []byte{0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}, err: "1002"},
		{name: "smallest negative length", in: []byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, err: "1002"},
		{name: "largest length", in: []byte{0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}, err: "1009"},
		{name: "fragments whose sum overflows", in: join(masked(openText, []byte("a")), []byte{0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}), err: "1009"},
		{name: "16 bits for a short length", in: []byte{0x82, 0xFE, 0, 125, 1, 2, 3, 4}, err: "1002"},
		{name: "64 bits for a short length", in: []byte{0x82, 0xFF, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4}, err: "1002"},
		{name: "unmasked text", in: join(hello, unmasked(text, []byte("x"))), want: []string{"message hello"}, err: "1002"},
		{name: "unmasked ping", in: unmasked(ping, nil), err: "1002"},
		{name: "masked controls", in: join(masked(pong, nil), masked(ping, []byte("p")), masked(ping, nil), masked(pong, []byte("x")), masked(ping, []byte("q"))), want: []string{"ping p", "ping ", "ping q"}},
		{name: "unmasked pongs", in: join(unmasked(pong, nil), hello, unmasked(pong, []byte("abc")), unmasked(pong, nil), hello), want: []string{"message hello", "message hello"}},
		{name: "unmasked pong amid fragments", in: join(masked(openText, []byte("a")), unmasked(pong, []byte("x")), masked(lastFragment, []byte("b"))), want: []string{"message ab"}},
		{name: "close", in: join(hello, masked(bye, []byte("\x0f\xa0bye")), []byte{0xFF, 0xFF, 0xFF}), want: []string{"message hello"}, err: "closed by the peer, code 4000"},
		{name: "close without code", in: masked(bye, nil), err: "closed by the peer, code 0"},
		{name: "close with code 0", in: masked(bye, []byte{0, 0}), err: "1002"},
		{name: "close with half a code", in: masked(bye, []byte{3}), err: "1002"},
		{name: "close with a reason that is not UTF-8", in: masked(bye, []byte("\x03\xe8\xC3\x28")), err: "1007"},
		{name: "unmasked close without code", in: join(hello, unmasked(bye, nil), hello), want: []string{"message hello"}, err: "closed by the peer, code 0"},
		{name: "unmasked close with half a code", in: unmasked(bye, []byte{3}), err: "closed by the peer, code 0"},
		{name: "unmasked close with code", in: join(hello, unmasked(bye, []byte("\x03\xe8bye")), hello), want: []string{"message hello"}, err: "closed by the peer, code 1000"},
		{name: "close amid fragments", in: join(masked(openText, []byte("a")), masked(bye, []byte("\x03\xe8"))), err: "closed by the peer, code 1000"},
		{name: "fragments", in: join(masked(openText, []byte("a")), masked(openMore, nil), masked(ping, nil), masked(lastFragment, []byte("b")), hello), limit: 5, want: []string{"ping ", "message ab", "message hello"}},
		{name: "a character cut by fragments", in: join(masked(openText, []byte("\xC3")), masked(lastFragment, []byte("\xBC"))), want: []string{"message ü"}},
		{name: "binary fragments", in: join(masked(openBinary, []byte("\xC3")), masked(lastFragment, []byte("\x28"))), want: []string{"message \xC3\x28"}},
		{name: "text that is not UTF-8", in: join(hello, masked(text, []byte{0xC3, 0x28})), want: []string{"message hello"}, err: "1007"},
		{name: "text behind binary", in: join(masked(binaryFrame, []byte{0xC3}), masked(text, []byte{0xC3})), want: []string{"message \xC3"}, err: "1007"},
		{name: "empty fragments", in: join(masked(openText, nil), masked(lastFragment, nil), hello), want: []string{"message hello"}},
		{name: "fragments too long together", in: join(masked(openText, []byte("abc")), masked(lastFragment, []byte("def"))), limit: 5, err: "1009"},
		{name: "continuation of nothing", in: masked(lastFragment, nil), err: "1002"},
		{name: "message amid fragments", in: join(masked(openText, nil), hello), err: "1002"},
		{name: "reserved bit", in: masked(text|0x40, nil), err: "1002"},
		{name: "reserved data opcode", in: masked(0x83, nil), err: "1002"},
		{name: "reserved control opcode", in: unmasked(0x8B, nil), err: "1002"},
		{name: "fragmented pong", in: unmasked(byte(frame.OpPong), nil), err: "1002"},
		{name: "long control frame", in: unmasked(pong, make([]byte, 126)), err: "1002"},
		{name: "cut inside a header", in: join(hello, []byte{text}), want: []string{"message hello"}},
		{name: "cut inside a payload", in: hello[:len(hello)-2]},
	}
	for _, tt := range tests {
		if tt.limit == 0 {
			tt.limit = 1 << 20
		}
		t.Run(tt.name, func(t *testing.T) {
			for _, cuts := range [][]int{{1 << 20}, {1}, {3, 1, 13}, {2, 64}} {
				got, err := decode(tt.in, tt.limit, cuts...)
				if !slices.Equal(got, tt.want) {
					t.Errorf("cut by %v: got %.200q, want %.200q", cuts, got, tt.want)
				}
				if said := fmt.Sprint(err); err == nil && tt.err != "" || err != nil && (tt.err == "" || !strings.HasPrefix(said, tt.err)) {
					t.Errorf("cut by %v: error %v, want %q", cuts, err, tt.err)
				}
			}
		})
	}
}

// A header promises nothing: memory is taken for what has come.
func TestDecoderWaitsForTheBytes(t *testing.T) {
	const announced = 1 << 30
	header := []byte{text, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4}
	var d decoder
	f := found{longest: announced}
	if err := d.feed(append(header, make([]byte, 100)...), &f); err != nil {
		t.Fatal(err)
	}
	if got := cap(d.buffer); got > 3*100 {
		t.Errorf("%d bytes allocated for 100, want at most %d", got, 3*100)
	}
	chunk := make([]byte, 10<<10)
	for range 100 {
		if err := d.feed(chunk, &f); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := cap(d.buffer), 3*len(d.buffer); got > want {
		t.Errorf("%d bytes allocated for %d, want at most %d", got, len(d.buffer), want)
	}
}

func TestMessageIsItsOwners(t *testing.T) {
	var (
		d    decoder
		kept [][]byte
	)
	sink := keeper{func(data []byte) { kept = append(kept, data) }}
	for _, s := range []string{"first", "second", "third"} {
		if err := d.feed(masked(text, []byte(s)), sink); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(bytes.Join(kept, []byte(" "))); got != "first second third" {
		t.Errorf("got %q: a message was written over by a later one", got)
	}
}

type keeper struct{ keep func([]byte) }

func (k keeper) limit() int64        { return 1 << 20 }
func (k keeper) fragments() int      { return 0 }
func (k keeper) message(data []byte) { k.keep(data) }
func (k keeper) ping([]byte)         {}

func TestUnmask(t *testing.T) {
	key := [4]byte{0xA1, 0xB2, 0xC3, 0xD4}
	plain := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	for at := range 9 {
		for n := range len(plain) + 1 {
			p := slices.Clone(plain[:n])
			for i := range p {
				p[i] ^= key[(at+i)%4]
			}
			unmask(p, key, at)
			if !bytes.Equal(p, plain[:n]) {
				t.Fatalf("at %d, %d bytes: got %q", at, n, p)
			}
		}
	}
}

func FuzzDecoder(f *testing.F) {
	hello := masked(text, []byte("hello"))
	for _, seed := range [][]byte{
		hello, join(unmasked(pong, []byte("abc")), hello), join(hello, unmasked(bye, []byte("\x03\xe8"))),
		{0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4},
		join(masked(openText, []byte("a")), []byte{0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}),
		join(masked(openText, []byte("a")), unmasked(pong, nil), masked(lastFragment, []byte("b"))),
		masked(text, make([]byte, 300)), masked(text, make([]byte, 70_000)), {text}, unmasked(0x8B, nil),
	} {
		f.Add(seed, []byte{0}, uint32(1<<20))
		f.Add(seed, []byte{1, 6, 2}, uint32(200))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, limit uint32) {
		whole, wholeErr := decode(stream, int64(limit), len(stream)+1)
		pieces := []int{1}
		for _, c := range cuts {
			pieces = append(pieces, int(c)+1)
		}
		cut, cutErr := decode(stream, int64(limit), pieces...)
		if !slices.Equal(whole, cut) || fmt.Sprint(wholeErr) != fmt.Sprint(cutErr) {
			t.Fatalf("in one piece %q, %v; in pieces %q, %v", whole, wholeErr, cut, cutErr)
		}
		for _, e := range whole {
			if m, is := strings.CutPrefix(e, "message "); is && (m == "" || len(m) > int(limit)) {
				t.Fatalf("message of %d bytes, the limit is %d", len(m), limit)
			}
		}
		var v *violation
		var g *goodbye
		if wholeErr != nil && !errors.As(wholeErr, &v) && !errors.As(wholeErr, &g) {
			t.Fatalf("error %v is neither a violation nor a goodbye", wholeErr)
		}
		sent(t, stream, cuts)
	})
}

// sent sends the data as one text or binary message in fragments cut by cuts, and wants it back.
func sent(t *testing.T, data, cuts []byte) {
	t.Helper()
	first := openBinary
	if utf8.Valid(data) {
		first = openText
	}
	var stream []byte
	rest := data
	for _, c := range cuts {
		n := min(int(c), len(rest))
		stream = append(stream, masked(first, rest[:n])...)
		stream = append(stream, masked(ping, []byte{c})...)
		rest, first = rest[n:], openMore
	}
	stream = append(stream, masked(first|0x80, rest)...)
	events, err := decode(stream, int64(len(data)), 7, 1)
	if err != nil {
		t.Fatalf("%d fragments: %v", len(cuts)+1, err)
	}
	events = slices.DeleteFunc(events, func(e string) bool { return strings.HasPrefix(e, "ping ") })
	if len(data) == 0 && len(events) == 0 {
		return
	}
	if len(events) != 1 || events[0] != "message "+string(data) {
		t.Fatalf("sent %q, got %q", data, events)
	}
}
