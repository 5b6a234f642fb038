package transport

// Unauthenticated connections are bounded together too, because there may be many of them and nobody knows
// who they are. One total counts what they hold: unfinished messages, what their windows have granted, and
// the memory of readers that wait for room.

const (
	// spared is how many bytes such a connection may hold whatever the others hold. A peer that sends a
	// token and waits for the answer needs no more.
	spared = 1 << 10
	// parked is how many bytes a waiting reader takes: a stack and a buffer.
	parked = 16 << 10
)

// crowded reports whether the peer must go. It must if, with more bytes, the total exceeds its limit and the
// peer itself holds more than spared.
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
	r.keepPart(bytes)
}
