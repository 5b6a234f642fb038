package actors

import (
	"errors"
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// Position is where a broadcast stands in the history of its service. The zero Position is nowhere.
type Position struct {
	// Epoch names one history. Offsets of two histories cannot be compared. It has letters, digits, - and _.
	Epoch string `json:"epoch"`
	// Offset counts the broadcasts of the service from 1 on, those of all tenants. A client that may not see all
	// of them sees jumps.
	Offset int64 `json:"offset"`
}

// maxOffset is the greatest number that every reader of JSON keeps exactly.
const maxOffset = 1<<53 - 1

var errNoPosition = errors.New("not a position, which is an epoch, a dot and an offset")

// String returns the position as one word, which ParsePosition reads; empty for nowhere.
func (p Position) String() string {
	if p.Epoch == "" {
		return ""
	}
	return p.Epoch + "." + strconv.FormatInt(p.Offset, 10)
}

// ParsePosition reads what String returns.
func ParsePosition(text string) (Position, error) {
	if text == "" {
		return Position{}, nil
	}
	epoch, offset, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(offset, 10, 64)
	p := Position{epoch, n}
	if err != nil || !p.valid() || p.String() != text {
		return Position{}, errNoPosition
	}
	return p, nil
}

// valid reports whether p may be one that the router has made.
func (p Position) valid() bool {
	return p.Epoch != "" && len(p.Epoch) <= epochLength && p.Offset >= 0 && p.Offset <= maxOffset &&
		strings.Trim(p.Epoch, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

// epochLength is how many characters an epoch has.
const epochLength = 12

func newEpoch() string { return envelope.NewID()[:epochLength] }

// keys returns the position as an envelope has it. It comes after the keys that all envelopes have.
func (p Position) keys() envelope.Raw {
	out := append(make(envelope.Raw, 0, len(`,"epoch":"","offset":`)+epochLength+20), `,"epoch":"`...)
	out = append(append(out, p.Epoch...), `","offset":`...)
	return strconv.AppendInt(out, p.Offset, 10)
}

// droppable returns what outlets must know of a broadcast that they may drop for a slow reader; nil: they may not.
func (t *topic) droppable(f *filter.Filter, payload []byte) *Recorded {
	loss := lossOf(f.Slow())
	if loss == LoseNothing {
		return nil
	}
	return &Recorded{Service: t.name, Loss: loss, Key: f.Key(payload)}
}

// Recorded says which broadcast of which service a message is.
type Recorded struct {
	Service  string
	Position Position // nowhere: the service has no history, or the peer has not asked for positions
	// Replayed says that the peer gets the message because it came back. What is replayed before Admit does not
	// count for the bound of what may wait.
	Replayed bool
	// Loss says whether the broadcast may be dropped for a reader that is too slow, as the service's policy chooses.
	Loss Loss
	// Key is of what the broadcast tells the latest; empty: nothing takes its place.
	Key string
}

// Loss says what may be dropped for a reader that is too slow.
type Loss uint8

// What policies may choose.
const (
	LoseNothing Loss = iota
	LoseOldest       // what has waited longest
	LoseOlder        // what is older than another message of the same key, or else what has waited longest
)

// lossOf returns what a policy chooses.
func lossOf(s policy.Slow) Loss {
	switch s {
	case policy.DropOldest:
		return LoseOldest
	case policy.Coalesce:
		return LoseOlder
	default:
		return LoseNothing
	}
}
