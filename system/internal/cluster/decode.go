package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/config/policy"
)

// errItem is the cause of all errors of decoding.
var errItem = errors.New("malformed message of another node")

// reader reads what append functions have written. After the first fault all methods return zero values.
type reader struct {
	data  []byte
	fault string
	names *names
}

func (r *reader) fail(fault string) {
	if r.fault == "" {
		r.fault = fault
	}
	r.data = nil
}

func (r *reader) octet() byte {
	if len(r.data) == 0 {
		r.fail("it is cut short")
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail("a number is cut short or too long")
		return 0
	}
	r.data = r.data[n:]
	return v
}

// bytes returns a part of what is read.
func (r *reader) bytes(most int) []byte {
	n := r.number()
	if n > uint64(len(r.data)) {
		r.fail("a text is cut short")
		return nil
	}
	if n > uint64(most) {
		r.fail("a text is too long")
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// text returns a text that is likely to come again.
func (r *reader) text() string { return r.names.of(r.bytes(maxText)) }

// once returns a text that is not.
func (r *reader) once() string { return string(r.bytes(maxText)) }

// texts returns a list of at most most texts, nil for an empty one.
func (r *reader) texts(most int) []string {
	n := r.number()
	// A text has at least one byte, so a list is never longer than what is left.
	if n > uint64(len(r.data)) || n > uint64(most) {
		r.fail("a list is cut short or too long")
		return nil
	}
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.once())
	}
	if r.fault != "" {
		return nil
	}
	return list
}

func (r *reader) flags(all byte) byte {
	f := r.octet()
	if f&^all != 0 {
		r.fail("an unknown flag")
	}
	return f
}

// decodeItem reads an item. The item shares no memory with data.
func decodeItem(data []byte, known *names) (item, error) {
	r := &reader{data: data, names: known}
	i := item{kind: itemKind(r.octet())}
	switch i.kind {
	case itemKind(actors.AskParcel), itemKind(actors.ReplyParcel), itemKind(actors.BroadcastParcel), itemKind(actors.HandBackParcel), itemKind(actors.GoneParcel),
		itemKind(actors.ShareParcel), itemKind(actors.WillParcel), itemKind(actors.PresenceParcel):
		i.parcel = r.parcel(actors.ParcelKind(i.kind))
	case itemOffered:
		i.number, i.offered = r.number(), r.offered()
		i.name, i.id = i.offered.Name, i.offered.ID
	case itemWithdrawn:
		i.number, i.name, i.id = r.number(), r.text(), r.text()
	case itemWatched, itemUnwatched:
		i.number, i.name = r.number(), r.text()
	case itemRedeemed:
		i.redeemed = r.redeemed()
	case itemAck, itemKnown:
		i.number = r.number()
	default:
		r.fail(fmt.Sprintf("an unknown kind, %d", i.kind))
	}
	if len(r.data) > 0 {
		r.fail("there is more than a message should have")
	}
	if r.fault != "" {
		return item{}, fmt.Errorf("%w: %s", errItem, r.fault)
	}
	return i, nil
}

func (r *reader) parcel(kind actors.ParcelKind) *actors.Parcel {
	f := r.flags(parcelFlags)
	p := &actors.Parcel{
		Kind: kind, KnownClass: f&flagKnownClass != 0, Open: f&flagOpen != 0, Busy: f&flagBusy != 0, Passed: f&flagPassed != 0, Unseen: f&flagUnseen != 0,
	}
	p.Part = actors.PartKind(r.octet())
	p.Service = r.text()
	p.Instance = r.text()
	p.Instances = r.texts(maxInstances)
	p.Subscriber = r.once()
	p.Class = r.text()
	p.User.UUID = r.once()
	p.User.Name = r.once()
	p.User.Extensions = r.texts(maxList)
	left := r.number()
	if left > uint64(maxLeft) {
		r.fail("there is too much time for an answer")
	}
	p.Left = time.Duration(left)
	p.Key = r.once()
	id, text := r.bytes(math.MaxInt), r.bytes(math.MaxInt)
	// One piece of memory for both, which nobody else holds.
	own := append(append(make([]byte, 0, len(id)+len(text)), id...), text...)
	if len(id) > 0 {
		p.RequestID = envelope.Raw(own[:len(id):len(id)])
	}
	if len(text) > 0 {
		p.Text = own[len(id):]
	}
	return p
}

func (r *reader) offered() actors.Offered {
	f := r.flags(instanceFlags)
	o := actors.Offered{
		KnownClass: f&flagKnownClass != 0, Inside: f&flagInside != 0, Everywhere: f&flagEverywhere != 0, Leaving: f&flagLeaving != 0,
		Name: r.text(), ID: r.text(), Class: r.text(),
	}
	own := r.bytes(maxPolicy)
	if len(own) == 0 {
		return o
	}
	o.Policy = new(policy.Policy)
	if err := json.Unmarshal(own, o.Policy); err != nil {
		r.fail("the policy of an instance cannot be read: " + err.Error())
	}
	return o
}

func (r *reader) redeemed() actors.Redemption {
	var u actors.Redemption
	for i := range u.Session.ID {
		u.Session.ID[i] = r.octet()
	}
	generation, until := r.number(), r.number()
	if generation > math.MaxUint32 || until > maxSeconds {
		r.fail("a number is too large")
	}
	u.Session.Generation, u.Until = uint32(generation), time.Unix(int64(until), 0)
	return u
}

// names are the texts that come again and again: names of services, ids of instances. It belongs to one goroutine.
type names struct{ known map[string]string }

// maxNames is how many texts are remembered. More would be ids that come a few times only.
const maxNames = 1024

// of returns b as a string.
func (n *names) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if n == nil {
		return string(b)
	}
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= maxNames {
		n.known = map[string]string{}
	}
	s := string(b)
	n.known[s] = s
	return s
}
