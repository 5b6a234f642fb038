package transport

// Connections that have not authenticated are bounded together too: there may be many of them, and nobody
// knows who they are. What they hold is counted in one total: their unfinished messages, the shares of
// their windows, and what a reader takes that waits for room.

const (
	// spared is how many bytes such a connection may hold whatever the others hold: a peer that sends a
	// token and waits for the answer always finds room.
	spared = 1 << 10
	// parked is how many bytes a reader takes that waits: a stack and a buffer.
	parked = 16 << 10
)

// crowded reports whether the peer must go: it would hold more than is spared with so many bytes more,
// and all that have not authenticated too much.
func (r *reader) crowded(more int64) bool {
	total := r.window.Counted()
	return total != nil && total.Load()+more > r.socket.shard.limits.Load().UnauthenticatedTotal &&
		r.window.Used()+r.early+more > spared
}

// count notes how many bytes the reader holds of an unfinished message.
func (r *reader) count(bytes int) {
	held := int64(0)
	if r.window.Counted() != nil {
		held = int64(bytes)
	}
	if held != r.early {
		r.socket.shard.egress.early.Add(held - r.early)
		r.early = held
	}
}
