// Package envelope is the protocol's message: the envelope and its JSON, the ids in it, and the answers that
// the router gives by itself. It knows nothing of how an envelope travels, imports nothing of strowger and
// holds no state.
package envelope
