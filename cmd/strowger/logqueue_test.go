package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// reader takes lines when it is told to. Each write waits for a value of turns, which says how it
// ends.
type reader struct {
	turns  chan error
	begins chan string // gets what a write brings, before it waits

	mu   sync.Mutex // Protects text.
	text strings.Builder
}

func newReader() *reader {
	return &reader{turns: make(chan error), begins: make(chan string, 1000)}
}

func (r *reader) Write(data []byte) (int, error) {
	r.begins <- string(data)
	if err := <-r.turns; err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(data)
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func testQueue(r *reader, size int) *logQueue {
	return newLogQueue(r, size, func(lines int64) []byte { return fmt.Appendf(nil, "(%d lost)\n", lines) })
}

func say(t *testing.T, q *logQueue, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(q, format, args...); err != nil {
		t.Errorf("write: %v", err)
	}
}

func TestLogQueueKeepsOrder(t *testing.T) {
	r := newReader()
	q := testQueue(r, 1000)
	var want strings.Builder
	for n := range 20 {
		say(t, q, "line %d\n", n)
		fmt.Fprintf(&want, "line %d\n", n)
	}
	close(r.turns) // every write succeeds from here on
	q.Close(deadline)
	if got := r.String(); got != want.String() || q.Lost() != 0 {
		t.Errorf("got %q, %d lost, want %q", got, q.Lost(), want.String())
	}
	say(t, q, "late\n")
	if q.Lost() != 1 {
		t.Errorf("a line after Close: %d lost, want 1", q.Lost())
	}
}

// A reader that is stuck costs the oldest lines. Once it reads again a line says how many.
func TestLogQueueDropsOldest(t *testing.T) {
	r := newReader()
	q := testQueue(r, 10)
	say(t, q, "stuck\n")
	<-r.begins // it is out of the queue
	for n := range 9 {
		say(t, q, "l %d\n", n) // two and a half of them fit
	}
	say(t, q, "this is longer than all the queue\n")
	if q.Lost() != 8 {
		t.Errorf("%d lost, want 8", q.Lost())
	}
	close(r.turns)
	q.Close(deadline)
	if got, want := r.String(), "stuck\n(8 lost)\nl 7\nl 8\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Lines that cannot be written are lost, and the others go on.
func TestLogQueueSurvivesErrors(t *testing.T) {
	r := newReader()
	q := testQueue(r, 1000)
	full := errors.New("no space left on device")
	for n := range 4 {
		say(t, q, "l %d\n", n)
	}
	r.turns <- nil
	r.turns <- full
	r.turns <- full
	close(r.turns)
	q.Close(deadline)
	if got, want := r.String(), "l 0\n(2 lost)\nl 3\n"; got != want || q.Lost() != 2 {
		t.Errorf("got %q, %d lost, want %q", got, q.Lost(), want)
	}
}

// Close waits for a stuck reader no longer than it is told to.
func TestLogQueueCloseGivesUp(t *testing.T) {
	r := newReader()
	q := testQueue(r, 1000)
	say(t, q, "stuck\n")
	<-r.begins
	q.Close(time.Millisecond)
	q.Close(time.Millisecond)
	close(r.turns)
	q.Close(deadline)
	if got := r.String(); got != "stuck\n" {
		t.Errorf("got %q", got)
	}
}
