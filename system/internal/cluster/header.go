package cluster

import (
	"encoding/binary"
	"fmt"
)

// protocolVersion is the version of heartbeats and messages. Nodes whose versions differ by one work together, so
// what is new in a version must not disturb the version before.
const protocolVersion = 1

// kind is what a message to one node is.
type kind byte

const (
	kindBegin    kind = iota + 1 // begins a session
	kindReset                    // asks the leader for a session after this one
	kindItems                    // first, count, and so many items, each after its length in 4 bytes
	kindFragment                 // number, index and last, and a part of an item
	kindMark                     // sent, received and wants
)

// header begins each message to one node.
type header struct {
	version byte
	kind    kind
	sender  nodeID
	session uint64
	// first is the sequence number of the first item, or of the item that the fragment is of, or of the last item that
	// was sent.
	first uint64
	// count is how many items there are, or the index of the fragment, or up to which number the sender has received
	// all.
	count uint64
	// more is true if the fragment is not the last, or if the sender of a mark wants one back.
	more bool
}

// maxHeader is how long a header may be.
const maxHeader = 2 + len(nodeID{}) + 3*binary.MaxVarintLen64 + 1

// maxItems is how many items one message may have.
const maxItems = 4096

func (h *header) append(dst []byte) []byte {
	dst = append(dst, h.version, byte(h.kind))
	dst = append(dst, h.sender[:]...)
	dst = binary.AppendUvarint(dst, h.session)
	if h.kind == kindBegin || h.kind == kindReset {
		return dst
	}
	dst = binary.AppendUvarint(dst, h.first)
	dst = binary.AppendUvarint(dst, h.count)
	if h.kind == kindItems {
		return dst
	}
	return append(dst, bit(h.more, 1))
}

// parseHeader returns the header and what follows it.
func parseHeader(data []byte) (header, []byte, error) {
	r := &reader{data: data}
	h := header{version: r.octet(), kind: kind(r.octet())}
	if len(r.data) < len(h.sender) {
		return h, nil, fmt.Errorf("%w: it is cut short", errItem)
	}
	copy(h.sender[:], r.data)
	r.data = r.data[len(h.sender):]
	h.session = r.number()
	switch h.kind {
	case kindBegin, kindReset:
	case kindItems:
		h.first, h.count = r.number(), r.number()
		if h.count == 0 || h.count > maxItems || h.first+h.count < h.first {
			r.fail("it has no items or too many")
		}
	case kindFragment, kindMark:
		h.first, h.count = r.number(), r.number()
		more := r.octet()
		if more > 1 {
			r.fail("an unknown flag")
		}
		h.more = more == 1
	default:
		r.fail(fmt.Sprintf("an unknown kind, %d", h.kind))
	}
	if (h.kind == kindItems || h.kind == kindFragment) != (len(r.data) > 0) {
		r.fail("there is more or less than a message should have")
	}
	if r.fault != "" {
		return h, nil, fmt.Errorf("%w: %s", errItem, r.fault)
	}
	return h, r.data, nil
}

// nextItem cuts the first item off what follows the header of a message.
func nextItem(body []byte) (data, rest []byte, ok bool) {
	if len(body) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(body))
	if n > uint64(len(body)-4) {
		return nil, nil, false
	}
	return body[4 : 4+n], body[4+n:], true
}
