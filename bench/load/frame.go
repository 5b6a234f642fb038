package load

import (
	"encoding/binary"
	"errors"
)

// Opcodes of RFC 6455 that the generator meets.
const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xa
)

const (
	finBit  = 0x80
	maskBit = 0x80
)

var (
	errMasked     = errors.New("server sent a masked frame")
	errFragmented = errors.New("server sent a fragment")
)

// AppendText appends payload as one text frame of a client.
func AppendText(dst, payload []byte) []byte { return appendFrame(dst, opText, payload) }

// appendFrame masks with zeros: servers do the same work, and what stands in the frame is what was
// said, so that a mark in it can be written anew.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, finBit|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, maskBit|byte(n))
	case n < 1<<16:
		dst = append(dst, maskBit|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, maskBit|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}

// cutFrame takes the first frame off b. With a part of one it returns opcode 0, and rest is b.
func cutFrame(b []byte) (opcode byte, payload, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, b, nil
	}
	if b[1]&maskBit != 0 {
		return 0, nil, b, errMasked
	}
	if opcode = b[0] & 0xf; b[0]&finBit == 0 || opcode == 0 {
		return 0, nil, b, errFragmented
	}
	head, n := 2, int(b[1])
	switch {
	case n == 126 && len(b) >= 4:
		head, n = 4, int(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		head, n = 10, int(binary.BigEndian.Uint64(b[2:]))
	case n >= 126:
		return 0, nil, b, nil
	}
	if n < 0 || n > len(b)-head {
		return 0, nil, b, nil
	}
	return opcode, b[head : head+n], b[head+n:], nil
}
