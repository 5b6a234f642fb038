package load

import (
	"bytes"
	"errors"
	"time"
)

// MarkSize is how many bytes a mark takes.
const MarkSize = 1 + seqDigits + timeDigits

const (
	markByte   = '~' // stands nowhere else in what servers add to an event
	seqDigits  = 8
	timeDigits = 12
)

var errMark = errors.New("broken mark in a message")

// Mark is what an event says of itself: its number and when it left, as time since the generator
// started.
type Mark struct {
	Seq  uint32
	Sent time.Duration
}

// Put writes the mark to the first MarkSize bytes of b, as text that is safe in JSON.
func (m Mark) Put(b []byte) {
	const digits = "0123456789abcdef"
	_ = b[MarkSize-1]
	b[0] = markByte
	seq, sent := m.Seq, uint64(m.Sent)
	for i := seqDigits; i > 0; i-- {
		b[i] = digits[seq&0xf]
		seq >>= 4
	}
	for i := seqDigits + timeDigits; i > seqDigits; i-- {
		b[i] = digits[sent&0xf]
		sent >>= 4
	}
}

// FindMark returns the first mark of b and where it ends. It looks at hint first, which is where the
// last message of this kind had its mark; start is the hint for the next one. Without any mark end is
// zero.
func FindMark(b []byte, hint int) (m Mark, start, end int, err error) {
	start = hint
	if start >= len(b) || b[start] != markByte {
		if start = bytes.IndexByte(b, markByte); start < 0 {
			return Mark{}, 0, 0, nil
		}
	}
	if len(b)-start < MarkSize {
		return Mark{}, 0, 0, errMark
	}
	seq, ok := parseHex(b[start+1 : start+1+seqDigits])
	sent, ok2 := parseHex(b[start+1+seqDigits : start+MarkSize])
	if !ok || !ok2 {
		return Mark{}, 0, 0, errMark
	}
	return Mark{Seq: uint32(seq), Sent: time.Duration(sent)}, start, start + MarkSize, nil
}

func parseHex(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
