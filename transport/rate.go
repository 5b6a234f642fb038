package transport

import (
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// Clients may send so many frames and so many bytes in a second. One that has sent more is not read from for a second. Nothing
// is lost: what it sends meanwhile waits in the kernel, and then at the peer.

// rate is what was read from a connection in one second.
type rate struct {
	second int64 // of the shard's clock
	frames int64
	bytes  int64
}

// restTime is for how long a connection is not read from that has sent too much in a second.
const restTime = time.Second

// over adds what was read at once, and returns which limit it exceeds. It is not ok if it exceeds none. Beyond a limit the
// second begins anew.
func (r *rate) over(now int64, bytes int, frames uint32, l *Limits) (cause refusals.Cause, limit int64, ok bool) {
	if r.second != now {
		*r = rate{second: now}
	}
	r.frames += int64(frames)
	r.bytes += int64(bytes)
	switch {
	case l.MessageRate > 0 && r.frames > int64(l.MessageRate):
		cause, limit = refusals.FrameRate, int64(l.MessageRate)
	case l.ByteRate > 0 && r.bytes > l.ByteRate:
		cause, limit = refusals.ByteRate, l.ByteRate
	default:
		return 0, 0, false
	}
	*r = rate{second: now}
	return cause, limit, true
}

// slacken waits if the peer has sent too much in this second. The caller has handled all that was read.
func (r *reader) slacken(bytes int, frames uint32) {
	s := r.socket
	l := s.shard.limits.Load()
	if l.MessageRate == 0 && l.ByteRate == 0 || s.mayDoNow() == actors.Service {
		return
	}
	cause, limit, over := r.rate.over(s.shard.now.Load(), bytes, frames, l)
	if !over {
		return
	}
	s.cutOff(&refusals.Event{Cause: cause, More: []any{"limit", limit}})
	// What takes the whole window keeps it from being read, as messages under way do.
	debt := r.window.Lease(int(s.maxMessage.Load()))
	stop := s.shard.deps.Clock.AfterFunc(restTime, debt.Release)
	if r.wait(1, nil, false) {
		runtime.NewLease(&r.window, 1).Release()
	} else if stop() {
		debt.Release() // nothing is read any more
	}
}
