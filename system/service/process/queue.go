package process

import (
	"bufio"
	"context"
	"io"
	"sync"
	"time"
)

// queue has the frames that a pipe has not taken yet. Putting never blocks. Its methods may be called from any goroutine.
type queue struct {
	limit int           // from here on messages wait for room
	ready chan struct{} // receives when there is something to write, or nothing will come any more

	mu     sync.Mutex // Protects following.
	frames []queued
	taken  []byte // numbers of requests that hold up nobody any more
	size   int    // of frames, and of those that are being written
	dead   bool   // takes nothing any more
	closed bool   // is to be written to its end
	change chan struct{}
}

// queued is a frame, with the number of the request that it is, or 0.
type queued struct {
	frame  []byte
	number uint64
}

func newQueue(limit int) *queue { return &queue{limit: limit, ready: make(chan struct{}, 1)} }

// put appends a frame. It returns false if nothing is taken any more.
func (q *queue) put(frame []byte) bool { return q.putRequest(frame, 0) }

func (q *queue) putRequest(frame []byte, number uint64) bool {
	seal(frame)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead || q.closed {
		return false
	}
	q.frames = append(q.frames, queued{frame, number})
	q.size += len(frame)
	q.signal()
	return true
}

// take notes that a request holds up nobody any more. Many of them are one frame.
func (q *queue) take(number uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.dead && !q.closed {
		q.taken = appendNumber(q.taken, number)
		q.signal()
	}
}

// signal has the writer look.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// waiting returns how many bytes wait.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}

// kill drops what waits and returns the numbers of the requests among it. Nothing is taken any more.
func (q *queue) kill() (unsent []uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range q.frames {
		if f.number != 0 {
			unsent = append(unsent, f.number)
		}
	}
	q.dead, q.frames, q.taken, q.size = true, nil, nil, 0
	q.changed()
	q.signal()
	return unsent
}

// close takes nothing more and lets the writer write what waits.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// batch returns some of what waits. It is over when nothing comes any more.
func (q *queue) batch() (frames []queued, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.taken) > 0 {
		frame := seal(append(newFrame(frameTaken, len(q.taken)), q.taken...))
		frames, q.taken = append(frames, queued{frame: frame}), q.taken[:0]
		q.size += len(frame)
	}
	for size := 0; len(q.frames) > 0 && size < wholeRead; q.frames = q.frames[1:] {
		frames = append(frames, q.frames[0])
		size += len(q.frames[0].frame)
		q.frames[0] = queued{}
	}
	if len(q.frames) == 0 {
		q.frames = nil
	}
	return frames, q.dead || q.closed && len(frames) == 0
}

// wrote notes that a frame is with the pipe.
func (q *queue) wrote(frame []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.size = max(q.size-len(frame), 0)
	q.changed()
}

// changed is called with mu held.
func (q *queue) changed() {
	if q.change != nil {
		close(q.change)
		q.change = nil
	}
}

// write writes what comes until kill, or until all is written after close, or until the pipe takes nothing.
func (q *queue) write(pipe io.Writer) {
	out := bufio.NewWriterSize(pipe, wholeRead)
	for range q.ready {
		frames, over := q.batch()
		for ; len(frames) > 0; frames, over = q.batch() {
			for _, f := range frames {
				if _, err := out.Write(f.frame); err != nil {
					return
				}
				q.wrote(f.frame)
			}
		}
		if err := out.Flush(); err != nil || over {
			return
		}
	}
}

// room returns when no more waits than the limit, or ctx has ended.
func (q *queue) room(ctx context.Context) error {
	for {
		q.mu.Lock()
		if q.size <= q.limit || q.dead {
			q.mu.Unlock()
			return ctx.Err()
		}
		if q.change == nil {
			q.change = make(chan struct{})
		}
		change := q.change
		q.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// pace waits for room, for a second at most. It returns false if there is none.
func (q *queue) pace() bool {
	if q.waiting() <= q.limit {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return q.room(ctx) == nil
}
