// Package wire is the protocol as bytes: the envelope and its JSON, the frames that carry it,
// the answers the router gives by itself and the codes it closes connections with. It is a leaf:
// it imports nothing of strowger and holds no state.
package wire
