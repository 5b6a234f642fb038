package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Opcodes of RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// frameSpec is a frame as a scenario asks for it, broken ones included.
type frameSpec struct {
	Op         *byte  `json:"op"` // text where absent
	Text       string `json:"text"`
	Hex        string `json:"hex"`
	Rsv        byte   `json:"rsv"`         // the three reserved bits, 4 is RSV1
	Masked     *bool  `json:"masked"`      // true where absent
	DeclareLen uint64 `json:"declare_len"` // the length the header claims; 0 for the true one
}

// bytes returns the frame as it goes over the wire, or an error for a hex that is none.
func (s frameSpec) bytes() ([]byte, error) {
	op := byte(opText)
	if s.Op != nil {
		op = *s.Op
	}
	payload := []byte(s.Text)
	if op >= opClose {
		payload = latin1(s.Text)
	}
	if s.Hex != "" {
		var err error
		if payload, err = hex.DecodeString(s.Hex); err != nil {
			return nil, fmt.Errorf("frame hex %q: %w", s.Hex, err)
		}
	}
	length := uint64(len(payload))
	if s.DeclareLen > 0 {
		length = s.DeclareLen
	}
	masked := s.Masked == nil || *s.Masked
	return appendFrame(nil, 0x80|s.Rsv<<4|op, length, masked, payload), nil
}

// latin1 turns the text of a control frame into its bytes: control frames carry bytes, which a
// JSON scenario can only write as the code points of the same number.
func latin1(text string) []byte {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r))
	}
	return b
}

// textFrame returns one whole masked text frame.
func textFrame(text string) []byte {
	return appendFrame(nil, 0x80|opText, uint64(len(text)), true, []byte(text))
}

// appendFrame appends a frame whose header claims length bytes, whatever the payload has.
func appendFrame(dst []byte, first byte, length uint64, masked bool, payload []byte) []byte {
	var maskBit byte
	if masked {
		maskBit = 0x80
	}
	dst = append(dst, first)
	switch {
	case length < 126:
		dst = append(dst, maskBit|byte(length))
	case length <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, maskBit|126), uint16(length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, maskBit|127), length)
	}
	if !masked {
		return append(dst, payload...)
	}
	// With these bits a frame that is taken for the rest of another one is no text (lc_busy_drop_cleanup).
	key := binary.BigEndian.AppendUint32(nil, rand.Uint32()&^0x8080)
	dst = append(dst, key...)
	for i, b := range payload {
		dst = append(dst, b^key[i%4])
	}
	return dst
}

// frame is one that the daemon sent.
type frame struct {
	first   byte // FIN, reserved bits, opcode
	payload []byte
}

var (
	errShort      = errors.New("frame is not complete yet")
	errMasked     = errors.New("a server's frame is masked")
	errNotMinimal = errors.New("frame length is not written the shortest way")
	errHuge       = errors.New("frame length is beyond all sense")
)

// cutFrame takes the first frame off data and returns what follows. It is strict where a browser
// is: errShort asks for more bytes, every other error is the daemon's fault.
func cutFrame(data []byte) (frame, []byte, error) {
	if len(data) < 2 {
		return frame{}, data, errShort
	}
	if data[1]&0x80 != 0 {
		return frame{}, data, errMasked
	}
	length, body := uint64(data[1]), data[2:]
	var least uint64
	switch length {
	case 126:
		if len(body) < 2 {
			return frame{}, data, errShort
		}
		length, body, least = uint64(binary.BigEndian.Uint16(body)), body[2:], 126
	case 127:
		if len(body) < 8 {
			return frame{}, data, errShort
		}
		length, body, least = binary.BigEndian.Uint64(body), body[8:], 0x10000
	}
	if length < least {
		return frame{}, data, errNotMinimal
	}
	if length > 1<<30 {
		return frame{}, data, errHuge
	}
	if uint64(len(body)) < length {
		return frame{}, data, errShort
	}
	return frame{first: data[0], payload: body[:length]}, body[length:], nil
}

func TestFrameSpecBytes(t *testing.T) {
	op := func(b byte) *byte { return &b }
	unmasked := false
	for name, c := range map[string]struct {
		spec frameSpec
		want string // header and, unmasked, payload
	}{
		"text":               {frameSpec{Text: "ab"}, "8182"},
		"empty ping":         {frameSpec{Op: op(opPing)}, "8980"},
		"hex":                {frameSpec{Op: op(opClose), Hex: "03e8"}, "8882"},
		"reserved bit":       {frameSpec{Rsv: 4, Text: "a"}, "c181"},
		"length in 16 bits":  {frameSpec{Text: string(make([]byte, 126))}, "81fe007e"},
		"length in 64 bits":  {frameSpec{Text: string(make([]byte, 65536))}, "81ff0000000000010000"},
		"declared length":    {frameSpec{Text: "abc", DeclareLen: 16<<20 + 1}, "81ff0000000001000001"},
		"unmasked":           {frameSpec{Op: op(opPing), Text: "um", Masked: &unmasked}, "8902756d"},
		"bytes of a control": {frameSpec{Op: op(opClose), Text: "\u0003\u00e8x", Masked: &unmasked}, "880303e878"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.spec.bytes()
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := hex.DecodeString(c.want); !bytes.HasPrefix(got, want) {
				t.Fatalf("frame starts %x, want %s", got[:min(len(got), 12)], c.want)
			}
		})
	}
}

func TestMaskedPayloadUnmasksToItself(t *testing.T) {
	sent := textFrame("payload")
	key, masked := sent[2:6], slices.Clone(sent[6:])
	for i := range masked {
		masked[i] ^= key[i%4]
	}
	if string(masked) != "payload" {
		t.Fatalf("unmasked to %q", masked)
	}
}

func TestCutFrame(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want string // payload
		rest string
		err  error
	}{
		"text and rest":        {"810161ff", "61", "ff", nil},
		"empty":                {"8800", "", "", nil},
		"length in 16 bits":    {"817e007e" + fmt.Sprintf("%0252x", 1), fmt.Sprintf("%0252x", 1), "", nil},
		"no header yet":        {"81", "", "81", errShort},
		"no long length yet":   {"817e00", "", "817e00", errShort},
		"no longer length yet": {"817f00", "", "817f00", errShort},
		"no payload yet":       {"810261", "", "810261", errShort},
		"masked":               {"8180", "", "8180", errMasked},
		"not minimal, 16 bits": {"817e0001", "", "817e0001", errNotMinimal},
		"not minimal, 64 bits": {"817f0000000000000001", "", "817f0000000000000001", errNotMinimal},
		"negative":             {"827f" + strings.Repeat("ff", 8), "", "827f" + strings.Repeat("ff", 8), errHuge},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := hex.DecodeString(c.data)
			if err != nil {
				t.Fatal(err)
			}
			f, rest, err := cutFrame(data)
			if !errors.Is(err, c.err) || hex.EncodeToString(f.payload) != c.want || hex.EncodeToString(rest) != c.rest {
				t.Fatalf("payload %x, rest %x, %v; want %s, %s, %v", f.payload, rest, err, c.want, c.rest, c.err)
			}
		})
	}
}
