package cluster

import (
	"encoding/hex"
	"fmt"
)

// nodeID is what a node calls itself since its start. Of two nodes the one with the smaller id leads.
type nodeID [16]byte

// parse sets id to what String has returned.
func (id *nodeID) parse(s string) error {
	if len(s) != hex.EncodedLen(len(id)) {
		return fmt.Errorf("%w: the id of a node has %d characters", errItem, len(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return fmt.Errorf("%w: the id of a node: %w", errItem, err)
	}
	return nil
}

func (id nodeID) String() string { return hex.EncodeToString(id[:]) }

func (l *Links) subjectOf(id nodeID) string {
	return "strowger." + l.o.Cluster + ".node." + id.String()
}
