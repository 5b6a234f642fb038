package client

import (
	"slices"
	"testing"
)

func TestQueuePush(t *testing.T) {
	q := newQueue[int](Limits{QueueMessages: 3, QueueBytes: 100})
	steps := []struct {
		item, size int
		want       bool
	}{
		{1, 500, true}, // anything fits into an empty queue
		{2, 1, false},
	}
	for _, s := range steps {
		if got := q.push(s.item, s.size); got != s.want {
			t.Errorf("push %d of %d bytes: %v", s.item, s.size, got)
		}
	}
	if item, missed, ok := q.pop(); item != 1 || missed != 0 || !ok {
		t.Errorf("pop is %d, %d, %v", item, missed, ok)
	}
	for i, want := range []bool{true, true, true, false} {
		if got := q.push(i, 33); got != want {
			t.Errorf("push %d: %v, want %v", i, got, want)
		}
	}
	for want := range 3 {
		if item, missed, ok := q.pop(); item != want || missed != 0 || !ok {
			t.Errorf("pop is %d, %d, %v, want %d", item, missed, ok, want)
		}
	}
	if _, _, ok := q.pop(); ok || q.bytes != 0 {
		t.Errorf("an empty queue pops, %d bytes", q.bytes)
	}
}

func TestQueueReplace(t *testing.T) {
	q := newQueue[int](Limits{QueueMessages: 3, QueueBytes: 100})
	var missed []uint64
	pop := func() {
		_, m, _ := q.pop()
		missed = append(missed, m)
	}
	for i := range 5 { // 2 3 4 stay
		q.replace(i, 10)
	}
	pop()
	pop()
	q.replace(5, 95) // 4 and 5 do not fit together
	pop()
	if want := []uint64{2, 0, 1}; !slices.Equal(missed, want) {
		t.Errorf("missed are %d, want %d", missed, want)
	}
	if q.bytes != 0 || len(q.items) != 0 {
		t.Errorf("%d items of %d bytes are left", len(q.items), q.bytes)
	}
}

// The signal must not be lost, whatever the order of pushing and popping.
func TestQueueSignals(t *testing.T) {
	q := newQueue[int](Limits{QueueMessages: 1000, QueueBytes: 1000})
	const n = 1000
	go func() {
		for i := range n {
			for !q.push(i, 1) {
				t.Error("the queue is full")
			}
		}
	}()
	for want := 0; want < n; {
		<-q.ready
		for item, _, ok := q.pop(); ok; item, _, ok = q.pop() {
			if item != want {
				t.Fatalf("popped %d, want %d", item, want)
			}
			want++
		}
	}
}
