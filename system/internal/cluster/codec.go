package cluster

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"strowger/actors"
)

// itemKind is what an item of a message says. The kinds of parcels are those of actors.ParcelKind.
type itemKind byte

const (
	itemOffered   itemKind = iota + 16 // number, and an instance
	itemWithdrawn                      // number, name and id of an instance
	itemWatched                        // number and name of a service
	itemUnwatched                      // number and name of a service
	itemAck                            // number of the news that have been heard
	itemKnown                          // ends the first items of a session: what a node offers and watches is known
	itemRedeemed                       // session, generation and end of tickets that are used up
)

// item is one parcel, or one piece of news of a node.
type item struct {
	kind    itemKind
	number  uint64 // of news that the other node waits for; 0: it does not
	parcel  *actors.Parcel
	offered actors.Offered
	name    string
	id      string

	redeemed actors.Redemption
}

// The bounds of what another node says.
const (
	maxText      = 4096    // bytes of a name, an id, a class
	maxInstances = 4096    // of one request
	maxList      = 65_536  // extensions of one user
	maxPolicy    = 1 << 20 // bytes of a policy as JSON
	maxLeft      = 24 * time.Hour
	maxSeconds   = 1 << 40 // since 1970
)

// The flags of parcels.
const (
	flagKnownClass = 1 << iota // of instances too
	flagOpen
	flagBusy
	flagPassed
	flagUnseen
	parcelFlags = 1<<iota - 1
)

// The flags of instances, besides flagKnownClass.
const (
	flagInside = 2 << iota
	flagEverywhere
	flagLeaving
	instanceFlags = 2<<iota - 1
)

func bit(set bool, value byte) byte {
	if set {
		return value
	}
	return 0
}

func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTexts(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendText(dst, s)
	}
	return dst
}

// appendParcel appends p as an item.
func appendParcel(dst []byte, p *actors.Parcel) []byte {
	dst = append(dst, byte(p.Kind),
		bit(p.KnownClass, flagKnownClass)|bit(p.Open, flagOpen)|bit(p.Busy, flagBusy)|bit(p.Passed, flagPassed)|
			bit(p.Unseen, flagUnseen), byte(p.Part))
	dst = appendText(dst, p.Service)
	dst = appendText(dst, p.Instance)
	dst = appendTexts(dst, p.Instances)
	dst = appendText(dst, p.Subscriber)
	dst = appendText(dst, p.Class)
	dst = appendText(dst, p.User.UUID)
	dst = appendText(dst, p.User.Name)
	dst = appendTexts(dst, p.User.Extensions)
	dst = binary.AppendUvarint(dst, uint64(max(p.Left, 0)))
	dst = appendText(dst, p.Key)
	dst = appendText(dst, p.RequestID)
	return appendText(dst, p.Text)
}

// parcelSize returns an upper bound for the bytes that appendParcel appends.
func parcelSize(p *actors.Parcel) int {
	size := 3 + 13*binary.MaxVarintLen64 + len(p.Key) + len(p.Service) + len(p.Instance) + len(p.Subscriber) + len(p.Class) +
		len(p.User.UUID) + len(p.User.Name) + len(p.RequestID) + len(p.Text)
	for _, s := range p.Instances {
		size += binary.MaxVarintLen64 + len(s)
	}
	for _, s := range p.User.Extensions {
		size += binary.MaxVarintLen64 + len(s)
	}
	return size
}

// appendOffered appends news of an instance. A policy that JSON cannot express does not exist.
func appendOffered(dst []byte, number uint64, o *actors.Offered) []byte {
	dst = binary.AppendUvarint(append(dst, byte(itemOffered)), number)
	dst = append(dst, bit(o.KnownClass, flagKnownClass)|bit(o.Inside, flagInside)|bit(o.Everywhere, flagEverywhere)|bit(o.Leaving, flagLeaving))
	dst = appendText(dst, o.Name)
	dst = appendText(dst, o.ID)
	dst = appendText(dst, o.Class)
	var own []byte
	if o.Policy != nil {
		own, _ = json.Marshal(o.Policy)
	}
	return appendText(dst, own)
}

func appendWithdrawn(dst []byte, name, id string) []byte {
	dst = binary.AppendUvarint(append(dst, byte(itemWithdrawn)), 0)
	return appendText(appendText(dst, name), id)
}

// appendNamed appends news of a name: itemWatched or itemUnwatched.
func appendNamed(dst []byte, kind itemKind, number uint64, name string) []byte {
	return appendText(binary.AppendUvarint(append(dst, byte(kind)), number), name)
}

// appendNumber appends an item that has a number only.
func appendNumber(dst []byte, kind itemKind, number uint64) []byte {
	return binary.AppendUvarint(append(dst, byte(kind)), number)
}

// appendRedeemed appends the news that tickets are used up. Their end is told to the second.
func appendRedeemed(dst []byte, u actors.Redemption) []byte {
	dst = append(append(dst, byte(itemRedeemed)), u.Session.ID[:]...)
	dst = binary.AppendUvarint(dst, uint64(u.Session.Generation))
	return binary.AppendUvarint(dst, uint64(max(u.Until.Unix()+1, 0)))
}
