package main

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// logQueue is a writer of log lines that never waits for whoever reads them. A goroutine writes the
// lines in their order. While the queue is full, each new line takes the place of the oldest ones.
// Lines that are lost this way, or because writing failed, are counted, and a line in their place
// says how many they were.
type logQueue struct {
	w      io.Writer
	bytes  int                      // most that may wait
	notice func(lines int64) []byte // the line that stands for lost ones
	ended  chan struct{}            // closed when the goroutine has returned

	mu      sync.Mutex // Protects following.
	lines   [][]byte   // those that wait, the oldest first
	size    int        // of lines, in bytes
	lost    int64      // lines lost since the start
	told    int64      // of these, the ones that a notice told of
	closed  bool
	turns   uint64 // lines written, or given up
	writing bool
	changed chan struct{} // has a value if the goroutine is to look again
}

// newLogQueue returns a queue in front of w that holds up to size bytes. Close ends it.
func newLogQueue(w io.Writer, size int, notice func(lines int64) []byte) *logQueue {
	q := &logQueue{w: w, bytes: size, notice: notice, ended: make(chan struct{}), changed: make(chan struct{}, 1)}
	go q.run()
	return q
}

// Write queues a copy of one line. It always succeeds.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(line) > q.bytes {
		q.lost++
		q.wake()
		return len(line), nil
	}
	for q.size+len(line) > q.bytes {
		q.size -= len(q.lines[0])
		q.lines[0] = nil
		q.lines = q.lines[1:]
		q.lost++
	}
	q.lines = append(q.lines, bytes.Clone(line))
	q.size += len(line)
	q.wake()
	return len(line), nil
}

// Lost returns how many lines have not been written and never will be.
func (q *logQueue) Lost() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

// Turns returns how many lines have been written or could not be, and whether none waits.
func (q *logQueue) Turns() (lines uint64, idle bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.turns, !q.writing && len(q.lines) == 0
}

// Close takes no more lines and waits until those in the queue are written, for patience at most. A
// write that is stuck then stays so until the process ends.
func (q *logQueue) Close(patience time.Duration) {
	late := time.NewTimer(patience)
	defer late.Stop()
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		q.wake()
	}
	q.mu.Unlock()
	select {
	case <-q.ended:
	case <-late.C:
	}
}

// wake makes the goroutine look again. The caller holds mu.
func (q *logQueue) wake() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// run writes lines until the queue is closed and empty.
func (q *logQueue) run() {
	defer close(q.ended)
	for {
		line, lost, closed := q.next()
		switch {
		case line != nil:
			q.write(line, lost)
		case !closed:
			<-q.changed
		case lost > 0:
			q.write(nil, lost)
			return
		default:
			return
		}
	}
}

// next takes the oldest line, nil if there is none, and returns how many lines were lost before it
// that no notice has told of.
func (q *logQueue) next() (line []byte, lost int64, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) > 0 {
		line = q.lines[0]
		q.lines[0] = nil
		q.lines = q.lines[1:]
		q.size -= len(line)
		q.writing = true
	}
	return line, q.lost - q.told, q.closed
}

// write writes a line, or none, after a notice of the lines that were lost before it. A line that
// cannot be written is lost too; the next one is tried all the same, as a full disk may have room
// again.
func (q *logQueue) write(line []byte, lost int64) {
	data := line
	if lost > 0 {
		data = append(q.notice(lost), line...)
	}
	_, err := q.w.Write(data)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turns++
	q.writing = false
	if err == nil {
		q.told += lost
	} else if line != nil {
		q.lost++
	}
}
