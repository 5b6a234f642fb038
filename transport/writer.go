package transport

import "syscall"

// writer makes non-blocking writes.
type writer struct {
	call   func(fd int, p []byte) (int, error) // writeNow, but in tests
	joined []byte
	parts  [][]byte // what joined was made of
}

// write writes as much as there is room for and returns how much that was. No call gets more than
// maxJoin bytes: the scheduler can do nothing with this goroutine as long as one lasts.
func (w *writer) write(fd int, buf []byte) (int, error) {
	written := 0
	for written < len(buf) {
		piece := buf[written:min(len(buf), written+maxJoin)]
		n, err := w.call(fd, piece)
		if err == syscall.EAGAIN { //nolint:errorlint // straight from the system call, on every message's way
			break
		}
		if err != nil {
			return written, err
		}
		written += n
		if n < len(piece) {
			break
		}
	}
	return written, nil
}

// join returns the frames from head on as one piece, and where the next piece begins. Neighbours
// mostly get the same frames, so what was joined for the last socket is used again if it fits.
func (w *writer) join(nodes []node, head int32) (buf []byte, next int32) {
	first := nodes[head]
	if first.next == 0 || len(first.frame) >= maxJoin {
		return first.frame, first.next
	}
	if next, same := w.same(nodes, head); same {
		return w.joined, next
	}
	w.joined, w.parts = w.joined[:0], w.parts[:0]
	n := head
	for ; n != 0 && len(w.joined)+len(nodes[n].frame) <= maxJoin; n = nodes[n].next {
		w.joined = append(w.joined, nodes[n].frame...)
		w.parts = append(w.parts, nodes[n].frame)
	}
	return w.joined, n
}

// same reports whether the list from head on begins with the frames that were joined last, and
// whether it would have been cut there too.
func (w *writer) same(nodes []node, head int32) (next int32, same bool) {
	if len(w.parts) == 0 {
		return 0, false
	}
	n := head
	for _, part := range w.parts {
		if n == 0 || len(nodes[n].frame) != len(part) || &nodes[n].frame[0] != &part[0] {
			return 0, false
		}
		n = nodes[n].next
	}
	if n != 0 && len(w.joined)+len(nodes[n].frame) <= maxJoin {
		return 0, false
	}
	return n, true
}

// forget lets go of the frames of the last batch.
func (w *writer) forget() {
	clear(w.parts)
	w.parts = w.parts[:0]
	if cap(w.joined) > maxJoin {
		w.joined = nil
	}
}
