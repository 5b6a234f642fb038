package transport

import (
	"encoding/binary"
	"fmt"
	"io"

	"strowger/transport/wire"
)

// violation is a breach of RFC 6455 or of a limit; the connection is closed with its code.
type violation struct {
	code wire.CloseCode
	what string
}

func (v *violation) Error() string { return fmt.Sprintf("%s: %s", v.code, v.what) }

// unmaskedClose is how a PHP service says goodbye (protocol 2.8).
type unmaskedClose struct{ code uint16 }

func (c *unmaskedClose) Error() string { return fmt.Sprintf("closed by the peer, code %d", c.code) }

// guard reads frame headers as they come off the wire, before the WebSocket library does. It
// checks what the library does not (a frame with a negative length ends the process there), and
// takes out the control frames that PHP services send unmasked, which the library would refuse.
type guard struct {
	held     [14]byte // a header that is not complete yet
	heldLen  int
	left     int64 // payload bytes of the current frame still to come
	dropping bool  // the current frame is taken out
	closing  bool  // and it is a close frame
	code     [2]byte
	codeLen  int
	message  int64 // bytes of the fragmented message so far
	partial  bool  // inside a fragmented message
	over     bool  // a masked close frame was seen: what comes behind it does not count
}

// read fills p from r and returns how many bytes of it the library shall see. p must be longer
// than a header. limit is asked for the longest message in bytes when something has come: while we
// waited for it, the peer may have been let in to send more.
func (g *guard) read(r io.Reader, p []byte, limit func() int64) (int, error) {
	for {
		n := copy(p, g.held[:g.heldLen])
		g.heldLen = 0
		m, err := r.Read(p[n:])
		kept, bad := g.scan(p[:n+m], limit())
		switch {
		case bad != nil:
			// What came before the violation is still good; bufio hands it over first.
			return kept, bad
		case kept > 0 || err != nil:
			return kept, err
		}
	}
}

// scan checks p and moves what the library shall see to its front.
func (g *guard) scan(p []byte, limit int64) (kept int, err error) {
	for i := 0; i < len(p); {
		if g.left > 0 {
			n := int(min(g.left, int64(len(p)-i)))
			if g.dropping {
				g.keepCode(p[i : i+n])
			} else {
				kept += copy(p[kept:], p[i:i+n])
			}
			g.left -= int64(n)
			i += n
			if g.left == 0 && g.closing {
				return kept, g.closed()
			}
			continue
		}
		if g.over {
			return kept, nil
		}
		n := headerLen(p[i:])
		if n == 0 {
			g.heldLen = copy(g.held[:], p[i:])
			return kept, nil
		}
		if err := g.frame(p[i:i+n], limit); err != nil {
			return kept, err
		}
		if !g.dropping {
			kept += copy(p[kept:], p[i:i+n])
		}
		i += n
		if g.left == 0 && g.closing {
			return kept, g.closed()
		}
	}
	return kept, nil
}

// headerLen returns the length of the header that p begins with, 0 if it is not all there.
func headerLen(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	n := 2
	switch p[1] & 0x7F {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p[1]&0x80 != 0 {
		n += 4
	}
	if len(p) < n {
		return 0
	}
	return n
}

// frame checks a complete header and notes what follows it.
func (g *guard) frame(h []byte, limit int64) error {
	op, fin, masked := wire.Opcode(h[0]&0x0F), h[0]&0x80 != 0, h[1]&0x80 != 0
	length, err := payloadLen(h)
	if err != nil {
		return err
	}
	g.dropping, g.closing = false, false
	switch {
	case h[0]&0x70 != 0:
		return &violation{wire.CloseProtocolError, "reserved bits"}
	case op > wire.OpBinary && op < wire.OpClose || op > wire.OpPong:
		return &violation{wire.CloseProtocolError, "reserved opcode"}
	case op.IsControl() && (!fin || length > wire.MaxControl):
		return &violation{wire.CloseProtocolError, "control frame fragmented or too long"}
	case !masked && op == wire.OpPong:
		g.dropping = true
	case !masked && op == wire.OpClose:
		g.dropping, g.closing, g.codeLen = true, true, 0
	case !masked:
		return &violation{wire.CloseProtocolError, "frame is not masked"}
	case op == wire.OpClose:
		g.over = true
	case !op.IsControl():
		if err := g.data(op, fin, length, limit); err != nil {
			return err
		}
	}
	g.left = length
	return nil
}

// data checks a data frame's place in a fragmented message, and the message's size.
func (g *guard) data(op wire.Opcode, fin bool, length, limit int64) error {
	if (op == wire.OpContinuation) != g.partial {
		return &violation{wire.CloseProtocolError, "fragments out of order"}
	}
	if op != wire.OpContinuation {
		g.message = 0
	}
	// The sum could overflow: a length may be as much as an int64 holds.
	if length > limit-g.message {
		return &violation{wire.CloseTooBig, fmt.Sprintf("message over %d bytes", limit)}
	}
	g.message += length
	g.partial = !fin
	return nil
}

// payloadLen reads the length field, which must be the shortest form and not negative.
func payloadLen(h []byte) (int64, error) {
	switch n := h[1] & 0x7F; n {
	case 126:
		v := int64(binary.BigEndian.Uint16(h[2:]))
		if v < 126 {
			return 0, &violation{wire.CloseProtocolError, "length not in its shortest form"}
		}
		return v, nil
	case 127:
		v := int64(binary.BigEndian.Uint64(h[2:]))
		if v <= 0xFFFF {
			return 0, &violation{wire.CloseProtocolError, "length negative or not in its shortest form"}
		}
		return v, nil
	default:
		return int64(n), nil
	}
}

func (g *guard) keepCode(p []byte) {
	g.codeLen += copy(g.code[g.codeLen:], p)
}

func (g *guard) closed() error {
	if g.codeLen < 2 {
		return &unmaskedClose{}
	}
	return &unmaskedClose{code: binary.BigEndian.Uint16(g.code[:])}
}
