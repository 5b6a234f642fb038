package transport

import "sync/atomic"

// outside is what waits for peers that have no socket: those that have come by HTTP.
type outside struct {
	bytes     atomic.Int64
	relieving atomic.Bool
	// relieve ends the slowest of them as long as more returns true for what waits for them. Nil: there are none.
	relieve atomic.Pointer[func(more func(bytes int64) bool, limit int64)]
}

// queueOutside notes that so many more bytes wait for peers without a socket, or have ceased to if n is negative. It has
// room made if too much waits for all peers.
func (e *Egress) queueOutside(n int64) {
	e.outside.bytes.Add(n)
	if n <= 0 || !e.full() {
		return
	}
	e.relieveShards(nil)
	e.relieveOutside()
}

// relieveOutside has the slowest peers without a socket cut off until enough is left, or until they have no more than
// their part of that. It does not wait for it.
func (e *Egress) relieveOutside() {
	f := e.outside.relieve.Load()
	if f == nil || e.outside.bytes.Load() == 0 || !e.outside.relieving.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer e.outside.relieving.Store(false)
		limit := e.limits.Load().OutboundTotal
		left := enough(limit)
		(*f)(func(bytes int64) bool { return limit > 0 && e.QueuedBytes() > left && bytes > e.part(left) }, limit)
	}()
}
