package client

import "time"

// looksPerPing is how many looks at the clock there are between two pings.
const looksPerPing = 8

// heartbeat decides when to ping and when a router that is silent is lost. All times are since the
// connection was opened. When the process did not run for a while, because a signal or a debugger stopped
// it or its machine was paused, the time to wait for the router starts anew: what the router has sent
// meanwhile is not read yet.
type heartbeat struct {
	slice  time.Duration // between two looks
	last   time.Duration // of the last look
	looks  int           // since the last ping
	pinged time.Duration // when the last ping was sent; negative: none whose answer counts
}

func newHeartbeat(interval time.Duration) *heartbeat {
	return &heartbeat{slice: max(interval/looksPerPing, 1), pinged: -1}
}

// look is called every slice. Seen is when bytes last arrived. Lost means that none have since the last
// ping, which is an interval ago; otherwise ping tells whether to send one.
func (h *heartbeat) look(now, seen time.Duration) (ping, lost bool) {
	paused := now-h.last > 2*h.slice
	h.last = now
	h.looks++
	switch {
	case paused:
		h.pinged = -1 // and ask at once
	case h.looks < looksPerPing:
		return false, false
	case seen < h.pinged:
		return false, true
	}
	h.looks = 0
	return true, false
}
