package process

import (
	"encoding/binary"
	"time"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

func appendNumber(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// body reads what the functions above have written. After the first fault all methods return zero values.
type body struct {
	data []byte
	bad  bool
}

func (b *body) fail() {
	b.data, b.bad = nil, true
}

func (b *body) number() uint64 {
	n, size := binary.Uvarint(b.data)
	if size <= 0 {
		b.fail()
		return 0
	}
	b.data = b.data[size:]
	return n
}

func (b *body) octet() byte {
	if len(b.data) == 0 {
		b.fail()
		return 0
	}
	octet := b.data[0]
	b.data = b.data[1:]
	return octet
}

// bytes returns a part of what is read, nil if it is empty.
func (b *body) bytes() []byte {
	n := b.number()
	if n > uint64(len(b.data)) {
		b.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	part := b.data[:n:n]
	b.data = b.data[n:]
	return part
}

func (b *body) text() string { return string(b.bytes()) }

// end returns an error if something was wrong, or is left over.
func (b *body) end() error {
	if b.bad || len(b.data) > 0 {
		return errFrame
	}
	return nil
}

// The flags of a request.
const (
	askWaits     = 1 << iota // somebody waits for the answer
	askClustered             // there are other nodes
	askAlone                 // none of them can be asked
)

// appendAsk writes a request for the child. The id of the request stays here.
func appendAsk(r *runner.Request) []byte {
	a := r.Asked()
	e := a.Envelope
	flags := byte(0)
	if !envelope.IsEmpty(e.RequestID) {
		flags |= askWaits
	}
	if a.Elsewhere != nil {
		flags |= askClustered
		if r.Alone() {
			flags |= askAlone
		}
	}
	frame := newFrame(frameAsk, 128+len(e.Topic)+len(e.Payload)+len(e.ResourceID)+len(e.DomainName)+len(e.DomainUUID)+len(e.Permissions))
	frame = appendNumber(frame, r.Number())
	frame = append(frame, flags, byte(a.Part))
	frame = appendNumber(frame, uint64(max(r.Left(), 0)))
	for _, raw := range []envelope.Raw{e.Topic, e.Payload, e.ResourceID, e.DomainName, e.DomainUUID, e.Permissions} {
		frame = appendText(frame, raw)
	}
	frame = appendText(frame, a.User.UUID)
	frame = appendText(frame, a.User.Name)
	frame = appendNumber(frame, uint64(len(a.User.Extensions)))
	for _, extension := range a.User.Extensions {
		frame = appendText(frame, extension)
	}
	return frame
}

// ask is a request as the child reads it.
type ask struct {
	number           uint64
	clustered, alone bool
	runner.Ask
}

// anyID stands for the id of a request, which services do not see.
var anyID = envelope.Raw("1")

func readAsk(data []byte) (*ask, error) {
	b := body{data: data}
	a := &ask{number: b.number()}
	flags := b.octet()
	a.Part = runner.Part(b.octet())
	a.Deadline = time.Now().Add(time.Duration(min(b.number(), uint64(1<<62)))) //nolint:gosec // it is bounded
	e := &envelope.Envelope{}
	for _, raw := range []*envelope.Raw{&e.Topic, &e.Payload, &e.ResourceID, &e.DomainName, &e.DomainUUID, &e.Permissions} {
		*raw = b.bytes()
	}
	if flags&askWaits != 0 {
		e.RequestID = anyID
	}
	a.clustered, a.alone = flags&askClustered != 0, flags&askAlone != 0
	a.Envelope = e
	a.User = service.User{UUID: b.text(), Name: b.text()}
	for range min(b.number(), uint64(len(data))) {
		a.User.Extensions = append(a.User.Extensions, b.text())
	}
	return a, b.end()
}

// The flags of what the service has said.
const (
	tellOpen    = 1 << iota // more answers follow
	tellRefused             // the service has not looked at the request
	tellPassed              // the answer counts only if no other node has one
	tellMessage             // there is a message
	sayHere                 // it is for this node
)

// appendTold appends a message of the service, which may be nil.
func appendTold(frame []byte, e *envelope.Envelope, flags byte) []byte {
	if e == nil {
		return append(frame, flags)
	}
	frame = append(frame, flags|tellMessage)
	for _, raw := range []envelope.Raw{e.Topic, e.StatusString, e.StatusCode, e.Payload} {
		frame = appendText(frame, raw)
	}
	return frame
}

// told reads what appendTold has written.
func (b *body) told() (flags byte, told *runner.Told) {
	flags = b.octet()
	if flags&tellMessage == 0 {
		return flags, nil
	}
	t := &runner.Told{}
	for _, raw := range []*envelope.Raw{&t.Topic, &t.StatusString, &t.StatusCode, &t.Payload} {
		*raw = b.bytes()
	}
	return flags, t
}

// toldSize returns an upper bound for what appendTold appends, with a number before it.
func toldSize(e *envelope.Envelope) int {
	if e == nil {
		return 16
	}
	return 64 + len(e.Topic) + len(e.StatusString) + len(e.StatusCode) + len(e.Payload)
}
