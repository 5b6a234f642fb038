package transport

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"strowger/actors"
	"strowger/transport/frame"
)

// deflated is the bit of a frame's first byte that says that the message is compressed (RFC 7692, section 6).
const deflated = 0x40

// extension is what the answer to a handshake says when messages may be compressed. No side keeps what it has compressed
// or decompressed, so a connection takes no memory for it, and all who get the same message get the same bytes.
const extension = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

// agree returns what the answer to a handshake says to a list of offers (RFC 7692, section 5), empty to decline them all.
func agree(offers string) string {
	for offer := range splitQuoted(offers, ',') {
		if answer, ok := agreeTo(offer); ok {
			return answer
		}
	}
	return ""
}

// agreeTo returns the answer to one offer. It is not ok for another extension, and for parameters that RFC 7692, section
// 7.1, does not know or that come twice or with a wrong value. Neither is it for a smaller window than DEFLATE's, because
// the library always uses the whole of it.
func agreeTo(offer string) (answer string, ok bool) {
	answer = extension
	var seen []string
	for item := range splitQuoted(offer, ';') {
		name, value, valued := strings.Cut(item, "=")
		name, value = strings.ToLower(strings.Trim(name, " \t")), strings.Trim(value, " \t")
		for _, before := range seen {
			if before == name {
				return "", false
			}
		}
		seen = append(seen, name)
		switch {
		case len(seen) == 1:
			ok = name == "permessage-deflate" && !valued
		case name == "server_no_context_takeover", name == "client_no_context_takeover":
			ok = !valued
		case name == "server_max_window_bits":
			bits, good := windowBits(value)
			ok = good && bits == 15
			answer += "; server_max_window_bits=15"
		case name == "client_max_window_bits":
			_, good := windowBits(value)
			ok = !valued || good
		default:
			ok = false
		}
		if !ok {
			return "", false
		}
	}
	return answer, ok
}

// windowBits returns the size of a window, which is written as a number from 8 to 15 without a leading zero, in quotes or
// not.
func windowBits(value string) (bits int, ok bool) {
	if inner, quoted := strings.CutPrefix(value, `"`); quoted {
		if value, quoted = strings.CutSuffix(inner, `"`); !quoted {
			return 0, false
		}
	}
	bits, err := strconv.Atoi(value)
	return bits, err == nil && 8 <= bits && bits <= 15 && strconv.Itoa(bits) == value
}

// splitQuoted returns the parts of text between separators that do not stand in quotes.
func splitQuoted(text string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		begin, quoted := 0, false
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] == '\\' && quoted:
				i++
			case text[i] == '"':
				quoted = !quoted
			case text[i] == separator && !quoted:
				if !yield(text[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(text[begin:])
	}
}

// agree has the answer to the handshake say what agree has returned, and the socket do so.
func (s *socket) agree(agreement string) {
	if agreement == "" {
		return
	}
	head := bytes.TrimSuffix(s.answer, []byte("\r\n"))
	s.answer = fmt.Appendf(head[:len(head):len(head)], "Sec-WebSocket-Extensions: %s\r\n\r\n", agreement)
	s.packs, s.reader.decoder.unpacks = true, true
}

// formOf returns the bytes of a message that the socket's peer gets.
func (s *socket) formOf(m *actors.Message) []byte {
	if s.packs && m.Packed != nil {
		return m.Packed.Form()
	}
	return m.Form
}

// deflating is what the compression of an egress has in common.
type deflating struct {
	writers  [flate.BestCompression + 1]sync.Pool // of *flate.Writer, by level
	messages atomic.Int64                         // that were compressed
	before   atomic.Int64                         // their bytes
	after    atomic.Int64                         // what is left of these
}

// Compressed is what has been compressed since the start.
type Compressed struct{ Messages, Before, After int64 }

// Compressed returns what has been compressed.
func (e *Egress) Compressed() Compressed {
	d := &e.deflating
	return Compressed{d.messages.Load(), d.before.Load(), d.after.Load()}
}

// longestPacked bounds what is compressed, in bytes: a shard writes nothing while it compresses a message.
const longestPacked = 1 << 20

// packable has a message compressed when the first socket needs it, if the limits say so.
func (e *Egress) packable(m *actors.Message) {
	l := e.limits.Load()
	if size := len(m.Form) - m.Begin; !l.Compression || size < l.CompressionThreshold || size > longestPacked {
		return
	}
	text, plain, level := m.Text(), m.Form, l.CompressionLevel
	m.Packed = actors.NewPacked(func() []byte { return e.deflating.pack(text, plain, level) })
}

// pack returns the frame of a compressed text, and plain if that is no longer.
func (d *deflating) pack(text, plain []byte, level int) []byte {
	var out bytes.Buffer
	out.Grow(len(text) / 2)
	w, _ := d.writers[level].Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(&out, level) // the level is one of those that there are
	} else {
		w.Reset(&out)
	}
	_, err := w.Write(text)
	if err = errors.Join(err, w.Flush()); err != nil {
		return plain // a buffer takes everything
	}
	w.Reset(io.Discard) // keeps nothing of this message's buffer alive
	d.writers[level].Put(w)
	packed := bytes.TrimSuffix(out.Bytes(), flushed)
	if len(packed) >= len(text) {
		return plain
	}
	form := frame.Append(nil, frame.OpText, packed)
	form[0] |= deflated
	d.messages.Add(1)
	d.before.Add(int64(len(text)))
	d.after.Add(int64(len(packed)))
	return form
}

// flushed is how a flush ends. It is left out of a message (RFC 7692, section 7.2.1).
var flushed = []byte{0, 0, 0xFF, 0xFF}

// ending is what a message lacks: the end of the flush, and an empty last block, so that the reader finds its end.
const ending = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// inflaters are readers that wait to be used again: a connection that is idle has none.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(strings.NewReader("")) }}

// inflate returns a message of a peer as it was before it was compressed. It ends early when that is longer than limit.
func inflate(packed []byte, limit int64) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer func() {
		_ = r.(flate.Resetter).Reset(strings.NewReader(""), nil) // keeps nothing of this message alive
		inflaters.Put(r)
	}()
	if err := r.(flate.Resetter).Reset(io.MultiReader(bytes.NewReader(packed), strings.NewReader(ending)), nil); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	switch {
	case n > limit:
		return nil, &violation{frame.CloseTooBig, fmt.Sprintf("message over %d bytes once it is decompressed", limit)}
	case err != nil:
		return nil, &violation{frame.CloseProtocolError, "the message cannot be decompressed"}
	}
	return out.Bytes(), nil
}
