package transport

import (
	"time"

	"strowger/actors/refusals"
)

// CutStuck cuts off those who take nothing of what waits for them, looking for them at such intervals until
// Stop. It is called after CloseAll, so that peers that do not read hold up the end of nobody else. Calls
// after the first one do nothing.
func (e *Egress) CutStuck(interval time.Duration) {
	if interval <= 0 {
		return
	}
	select {
	case e.looks <- interval:
	default:
	}
}

func (e *Egress) lookForStuck() {
	for _, sh := range e.shards {
		sh.post(&cutStuck{})
	}
}

// cutStuck cuts off the sockets for which something waits now as it did the last time, and those that have been told to
// go and have not, if their peers have acknowledged nothing in between. Where the system does not tell, nobody is.
func (sh *shard) cutStuck() {
	for s := range sh.sockets {
		if !s.finished && !s.writing {
			s.stuck = false
			continue
		}
		acked, known := sh.acked(s.conn)
		if s.stuck && known && acked == s.acked {
			if s.finished {
				s.cut() // all is sent, the close frame too
				continue
			}
			s.cutOff(&refusals.Event{Cause: refusals.Shutdown, More: []any{"messages", s.waiting, "bytes", s.bytes}})
			sh.abort(s)
			continue
		}
		s.stuck, s.acked = true, acked
	}
}
