package transport

import (
	"strconv"
	"sync/atomic"

	"strowger/transport/frame"
)

// traffic counts what the connections of one shard send and get. Each direction has cache lines of its own, because
// a poller counts one of them and the shard the other.
type traffic struct {
	_         [64]byte
	bytesIn   atomic.Int64
	framesIn  atomic.Int64
	_         [48]byte
	bytesOut  atomic.Int64
	framesOut atomic.Int64
	waiting   atomic.Int64 // frames that wait for slow readers
	closed    [2][closings]atomic.Int64
	_         [40]byte
}

func (t *traffic) in(bytes int, frames uint32) {
	t.bytesIn.Add(int64(bytes))
	if frames > 0 {
		t.framesIn.Add(int64(frames))
	}
}

func (t *traffic) out(bytes, frames int) {
	t.bytesOut.Add(int64(bytes))
	t.framesOut.Add(int64(frames))
}

// side says who has ended a connection.
type side uint8

const (
	ours side = iota
	theirs
)

// counted are the close codes that are counted one by one. A connection that ends without a close frame counts as
// 1006, and one whose close frame has no code as 1005, as RFC 6455, section 7.4.1, has it. All other codes are
// counted together, last.
var counted = [...]frame.CloseCode{
	1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
	frame.CloseTokenExpired, frame.CloseAuthTimeout, frame.CloseAuthAttempts, frame.CloseIdle,
}

const (
	noCode   frame.CloseCode = 1005
	noFrame  frame.CloseCode = 1006
	closings                 = len(counted) + 1
)

// end counts the end of a connection.
func (t *traffic) end(code frame.CloseCode, by side) {
	if code == frame.CloseNone {
		code = noCode
	}
	at := 0
	for at < len(counted) && counted[at] != code {
		at++
	}
	t.closed[by][at].Add(1)
}

// Traffic is what connections have sent and got since the start, after their handshake.
type Traffic struct {
	BytesIn, FramesIn   int64
	BytesOut, FramesOut int64
	WaitingFrames       int64   // that wait for slow readers now
	Paused              int64   // connections that are not read from now, because their window is full
	Pauses              int64   // how often that began
	Ends                []Ended // connections that have ended
}

// Ended is how many connections have ended in one way.
type Ended struct {
	Code   string // of the close frame; other for those that are not told apart
	ByPeer bool   // it sent the first close frame, or was gone
	Count  int64
}

// Traffic returns what all connections have sent and got.
func (e *Egress) Traffic() Traffic {
	all := Traffic{Paused: e.paused.Load(), Pauses: e.pauses.Load()}
	for _, sh := range e.shards {
		t := &sh.traffic
		all.BytesIn += t.bytesIn.Load()
		all.FramesIn += t.framesIn.Load()
		all.BytesOut += t.bytesOut.Load()
		all.FramesOut += t.framesOut.Load()
		all.WaitingFrames += t.waiting.Load()
	}
	for by := range [2]side{} {
		for at := range closings {
			n := Ended{Code: "other", ByPeer: side(by) == theirs}
			if at < len(counted) {
				n.Code = strconv.Itoa(int(counted[at]))
			}
			for _, sh := range e.shards {
				n.Count += sh.traffic.closed[by][at].Load()
			}
			all.Ends = append(all.Ends, n)
		}
	}
	return all
}
