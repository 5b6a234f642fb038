package transport

import (
	"net/netip"
	"time"

	"strowger/actors"
)

// State is what another process needs, besides the descriptor, to go on with a connection.
type State struct {
	From       netip.AddrPort
	Remote     string // as the log shows it, where that is not From
	Connection *actors.ConnectionState
	Role       actors.Role
	Read       ReadState
	Write      WriteState
}

// ReadState is that of the read side.
type ReadState struct {
	Header []byte // of a frame, that is not complete
	// Of the current frame.
	Op     byte
	Final  bool
	Masked bool
	Inside bool
	Phase  byte
	Key    [4]byte
	Left   int64
	// Of the message.
	Partial   bool
	Fragments uint32
	Text      bool
	Packed    bool // it is compressed
	Buffer    []byte
	Control   []byte

	Stalled bool   // a message waits for room in the window
	Message []byte // which one
	Ping    bool   // it is a ping
	Rest    []byte // what was read after it

	Pings  bool // the peer has sent a ping
	Pinged int64
}

// WriteState is that of the write side. Times are in seconds before or after now.
type WriteState struct {
	Answer   []byte   // to the handshake, if it is not written
	Held     [][]byte // until the peer is admitted
	Queue    [][]byte // not written; the first one may be the rest of a frame
	Client   bool     // it has one of the places for clients
	Heard    int64
	NextPing int64
	PingGap  int64
	Probed   bool
	Packs    bool // the peer reads and sends compressed messages
}

// NewcomerState is a connection whose request for a handshake has not been read.
type NewcomerState struct {
	From netip.AddrPort
	Left time.Duration // of its time
}
