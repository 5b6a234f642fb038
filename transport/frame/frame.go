package frame

import "encoding/binary"

// Opcode is a frame's type (RFC 6455 section 5.2).
type Opcode byte

// The opcodes of RFC 6455.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether frames of this type stand outside the message stream.
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// MaxControl is the longest payload of a control frame, in bytes.
const MaxControl = 125

// MaxHeader is the longest header of an unmasked frame, in bytes.
const MaxHeader = 10

// Append appends one unfragmented, unmasked frame, as a server sends it.
func Append(dst []byte, op Opcode, payload []byte) []byte {
	return append(appendHeader(dst, op, len(payload)), payload...)
}

func appendHeader(dst []byte, op Opcode, n int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n <= 125:
		return append(dst, byte(n))
	case n <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
}

// InPlace makes one frame of b, which must begin with MaxHeader bytes of room for the header, followed
// by the payload. It returns the part of b that is the frame, and where in it the payload begins. Nothing is
// copied, because the header's length is known only when the payload is there.
func InPlace(b []byte, op Opcode) (frame []byte, begin int) {
	var h [MaxHeader]byte
	header := appendHeader(h[:0], op, len(b)-MaxHeader)
	start := MaxHeader - len(header)
	copy(b[start:], header)
	return b[start:], len(header)
}

// Closing returns a close frame with the code and its reason.
func Closing(code CloseCode) []byte {
	if code == CloseNone {
		return Append(nil, OpClose, nil)
	}
	payload := binary.BigEndian.AppendUint16(nil, uint16(code))
	return Append(nil, OpClose, append(payload, code.Reason()...))
}
