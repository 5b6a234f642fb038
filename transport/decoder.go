package transport

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"

	"strowger/transport/frame"
)

// violation is a breach of RFC 6455 or of a limit; the connection is closed with its code.
type violation struct {
	code frame.CloseCode
	what string
}

// tooManyFrames is what is wrong with a message of more frames than one may have.
const tooManyFrames = "message of too many frames"

func (v *violation) Error() string { return fmt.Sprintf("%s: %s", v.code, v.what) }

// goodbye is the peer's close frame.
type goodbye struct{ code uint16 }

func (g *goodbye) Error() string { return fmt.Sprintf("closed by the peer, code %d", g.code) }

// received is who gets what a decoder finds.
type received interface {
	// limit is the longest message in bytes; it is asked at every frame, because the peer may have
	// been let in to send more meanwhile.
	limit() int64
	// fragments is how many frames a message may have, 0 for any number. It is asked at the second and each further one.
	fragments() int
	// message gets a message that is not empty, and owns data.
	message(data []byte)
	// ping gets what a pong must echo; payload is the decoder's.
	ping(payload []byte)
}

// decoder makes messages of the bytes that a peer sends, by RFC 6455 and one exception: PHP services
// send pongs and close frames unmasked (protocol 2.8). Nothing is allocated for what a header
// merely announces. The zero value is ready.
type decoder struct {
	header    [14]byte // one that is not complete yet
	headerLen uint8
	op        frame.Opcode // of the current frame
	final     bool
	masked    bool
	inside    bool  // the current frame's payload is not complete
	partial   bool  // more fragments of the message are to come
	text      bool  // the message is text
	unpacks   bool  // the peer may send compressed messages
	packed    bool  // the message is compressed
	phase     uint8 // of the key: the place in it of the payload's next byte
	key       [4]byte
	fragments uint32 // frames of the message so far
	frames    uint32 // complete ones, until the reader has counted them
	left      int64  // bytes of the payload still to come
	checked   int    // bytes of buffer that are known to be good UTF-8
	buffer    []byte // the message so far
	control   []byte // the control frame's payload so far
	rest      []byte // of what feed got, while it hands over: the bytes after the current frame
}

// feed takes the next bytes, which stay the caller's. After an error the stream is over: a violation
// or the peer's goodbye; what came before it counts.
func (d *decoder) feed(p []byte, to received) error {
	for len(p) > 0 {
		if !d.inside {
			n, err := d.begin(p, to)
			if err != nil {
				return err
			}
			if p = p[n:]; !d.inside {
				return nil
			}
		}
		n := int(min(d.left, int64(len(p))))
		d.take(p[:n])
		p = p[n:]
		if d.left > 0 {
			return d.sofar()
		}
		d.inside, d.rest = false, p
		d.frames++
		err := d.end(to)
		d.rest = nil
		if err != nil {
			return err
		}
	}
	return nil
}

// begin reads a frame's header and returns how much of p belongs to it. If that is all of p and the
// header is not complete, the decoder is not inside the frame yet.
func (d *decoder) begin(p []byte, to received) (int, error) {
	if d.headerLen == 0 {
		n := headerLen(p)
		if n > 0 {
			return n, d.frame(p[:n], to)
		}
		d.headerLen = uint8(copy(d.header[:], p))
		return len(p), nil
	}
	had := int(d.headerLen)
	have := had + copy(d.header[had:], p)
	n := headerLen(d.header[:have])
	if n == 0 {
		d.headerLen = uint8(have)
		return len(p), nil
	}
	d.headerLen = 0
	return n - had, d.frame(d.header[:n], to)
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
func (d *decoder) frame(h []byte, to received) error {
	op, fin, masked := frame.Opcode(h[0]&0x0F), h[0]&0x80 != 0, h[1]&0x80 != 0
	length, err := payloadLen(h)
	if err != nil {
		return err
	}
	switch {
	case h[0]&0x70 != 0 && !(h[0]&0x70 == deflated && d.unpacks && (op == frame.OpText || op == frame.OpBinary)):
		return &violation{frame.CloseProtocolError, "reserved bits"}
	case op > frame.OpBinary && op < frame.OpClose || op > frame.OpPong:
		return &violation{frame.CloseProtocolError, "reserved opcode"}
	case op.IsControl() && (!fin || length > frame.MaxControl):
		return &violation{frame.CloseProtocolError, "control frame fragmented or too long"}
	case !masked && op != frame.OpPong && op != frame.OpClose:
		return &violation{frame.CloseProtocolError, "frame is not masked"}
	case !op.IsControl():
		if err := d.data(op, fin, length, to); err != nil {
			return err
		}
		if op != frame.OpContinuation {
			d.packed = h[0]&deflated != 0
		}
	}
	d.op, d.final, d.masked, d.inside, d.phase, d.left = op, fin, masked, true, 0, length
	if masked {
		copy(d.key[:], h[len(h)-4:])
	}
	return nil
}

// data checks a data frame's place in a fragmented message, and the message's size.
func (d *decoder) data(op frame.Opcode, fin bool, length int64, to received) error {
	if (op == frame.OpContinuation) != d.partial {
		return &violation{frame.CloseProtocolError, "fragments out of order"}
	}
	if !d.partial {
		d.fragments = 0
	} else if most := to.fragments(); most > 0 && int(d.fragments) >= most {
		return &violation{frame.CloseTooBig, tooManyFrames}
	}
	d.fragments++
	limit := to.limit()
	// The sum could overflow: a length may be as much as an int64 holds.
	if length > limit-int64(len(d.buffer)) {
		return &violation{frame.CloseTooBig, fmt.Sprintf("message over %d bytes: %d of a frame after %d", limit, length, len(d.buffer))}
	}
	if op != frame.OpContinuation {
		d.text = op == frame.OpText
	}
	d.partial = !fin
	return nil
}

// payloadLen reads the length field, which must be the shortest form and not negative.
func payloadLen(h []byte) (int64, error) {
	switch n := h[1] & 0x7F; n {
	case 126:
		v := int64(binary.BigEndian.Uint16(h[2:]))
		if v < 126 {
			return 0, &violation{frame.CloseProtocolError, "length not in its shortest form"}
		}
		return v, nil
	case 127:
		v := int64(binary.BigEndian.Uint64(h[2:]))
		if v <= 0xFFFF {
			return 0, &violation{frame.CloseProtocolError, "length negative or not in its shortest form"}
		}
		return v, nil
	default:
		return int64(n), nil
	}
}

// take adds what has come of the current frame's payload.
func (d *decoder) take(p []byte) {
	if len(p) == 0 {
		return
	}
	to := &d.buffer
	if d.op.IsControl() {
		to = &d.control
	}
	had := len(*to)
	if cap(*to)-had < len(p) {
		// Room for what has come, and for as much again if that much is to come.
		*to = slices.Grow(*to, max(len(p), int(min(d.left, int64(had)))))
	}
	*to = append(*to, p...)
	if d.masked {
		unmask((*to)[had:], d.key, int(d.phase))
	}
	d.phase = uint8((int(d.phase) + len(p)) % len(d.key))
	d.left -= int64(len(p))
}

// end hands over what is complete with the current frame.
func (d *decoder) end(to received) error {
	switch d.op {
	case frame.OpPing:
		to.ping(d.control)
		d.control = d.control[:0]
	case frame.OpPong:
		d.control = d.control[:0]
	case frame.OpClose:
		return d.goodbye()
	default:
		if d.final {
			return d.whole(to)
		}
		return d.sofar()
	}
	return nil
}

func (d *decoder) whole(to received) error {
	data, checked := d.buffer, d.checked
	d.buffer, d.checked = nil, 0
	if d.packed {
		var err error
		if data, err = inflate(data, to.limit()); err != nil {
			return err
		}
	}
	switch {
	case len(data) == 0:
	case d.text && !utf8.Valid(data[checked:]):
		return notUTF8()
	default:
		to.message(data)
	}
	return nil
}

// sofar looks at what has come of a message whose end has not, so that a text that can only be wrong is noticed at once. It
// looks at each byte once. Of a compressed message nothing can be said before its end.
func (d *decoder) sofar() error {
	if !d.text || d.packed || d.op.IsControl() {
		return nil
	}
	more := d.buffer[d.checked:]
	n := len(more) - unfinished(more)
	if !utf8.Valid(more[:n]) {
		return notUTF8()
	}
	d.checked += n
	return nil
}

// unfinished returns the length of the character at the end of p that further bytes may make a good one, 0 if there is
// none.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if end := p[len(p)-n:]; utf8.RuneStart(end[0]) {
			if utf8.FullRune(end) {
				return 0
			}
			return n
		}
	}
	return 0
}

func notUTF8() error { return &violation{frame.CloseInvalidData, "text is not UTF-8"} }

// goodbye returns what the close frame says. A code cut in half is forgiven those who do not mask.
func (d *decoder) goodbye() error {
	switch p := d.control; {
	case len(p) >= 2 && !utf8.Valid(p[2:]):
		return &violation{frame.CloseInvalidData, "reason is not UTF-8"}
	case len(p) >= 2 && p[0] == 0 && p[1] == 0:
		// A goodbye with 0 is one without a code.
		return &violation{frame.CloseProtocolError, "close frame with code 0"}
	case len(p) >= 2:
		return &goodbye{binary.BigEndian.Uint16(p)}
	case len(p) == 1 && d.masked:
		return &violation{frame.CloseProtocolError, "close frame with half a code"}
	}
	return &goodbye{}
}

// unmask undoes the masking of a part of a payload that begins at the given place in it.
func unmask(p []byte, key [4]byte, at int) {
	turned := [4]byte{key[at%4], key[(at+1)%4], key[(at+2)%4], key[(at+3)%4]}
	word := uint64(binary.LittleEndian.Uint32(turned[:]))
	word |= word << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^word)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= turned[i%4]
	}
}
