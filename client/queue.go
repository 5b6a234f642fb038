package client

import "sync"

// queue holds what waits for a reader slower than the socket, bounded in items and
// in bytes. Pushing never blocks.
type queue[T any] struct {
	limits Limits
	ready  chan struct{} // receives after a push; then pop until there is nothing

	mu     sync.Mutex // protects following
	items  []queued[T]
	bytes  int
	missed uint64 // dropped since the last pop
}

type queued[T any] struct {
	item T
	size int
}

func newQueue[T any](limits Limits) *queue[T] {
	return &queue[T]{limits: limits, ready: make(chan struct{}, 1)}
}

// push appends item and reports true, or reports false and changes nothing when it
// does not fit. Anything fits into an empty queue.
func (q *queue[T]) push(item T, size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.fits(size) {
		return false
	}
	q.put(item, size)
	return true
}

// replace appends item and drops the oldest ones where it would not fit.
func (q *queue[T]) replace(item T, size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.fits(size) {
		q.take()
		q.missed++
	}
	q.put(item, size)
}

// pop takes the oldest item, and how many were dropped between the one before and
// this one. ok is false when there is none.
func (q *queue[T]) pop() (item T, missed uint64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item, 0, false
	}
	missed, q.missed = q.missed, 0
	return q.take(), missed, true
}

func (q *queue[T]) fits(size int) bool {
	return len(q.items) == 0 || len(q.items) < q.limits.QueueMessages && q.bytes+size <= q.limits.QueueBytes
}

func (q *queue[T]) put(item T, size int) {
	q.items = append(q.items, queued[T]{item, size})
	q.bytes += size
	q.signal()
}

func (q *queue[T]) take() T {
	head := q.items[0]
	q.items[0] = queued[T]{} // let go of it
	q.items = q.items[1:]
	q.bytes -= head.size
	return head.item
}

func (q *queue[T]) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
