package client

import "fmt"

// State is where a client stands with its router.
type State int

const (
	// StateConnecting says that an attempt to connect and authenticate is under way.
	StateConnecting State = iota + 1
	// StateOnline says that the client is authenticated: requests are sent, broadcasts arrive.
	StateOnline
	// StateOffline says that the connection was lost or an attempt failed, and another attempt follows.
	StateOffline
	// StateClosed says that the client is done: by Close, or because it gave up.
	StateClosed
)

// String names the state in one lower-case word.
func (s State) String() string {
	switch s {
	case StateConnecting:
		return "connecting"
	case StateOnline:
		return "online"
	case StateOffline:
		return "offline"
	case StateClosed:
		return "closed"
	}
	return fmt.Sprintf("state(%d)", int(s))
}
