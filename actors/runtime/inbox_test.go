package runtime

import (
	"slices"
	"sync"
	"testing"
)

// takesAll is an invoker for a mailbox with an inbox.
func takesAll(b *Inbox[int], take func(messages []int)) *sink {
	return &sink{func(m any) {
		messages := m.(*Inbox[int]).Take()
		take(messages)
		b.GiveBack(messages)
	}}
}

func testInbox(take func(messages []int)) (*Inbox[int], *manual) {
	b, d := new(Inbox[int]), new(manual)
	b.mailbox = &mailbox{patient: true}
	b.mailbox.RegisterHandlers(takesAll(b, take), d)
	return b, d
}

func TestInboxHandsOverAllThatWaits(t *testing.T) {
	var got [][]int
	var b *Inbox[int]
	b, d := testInbox(func(messages []int) {
		got = append(got, slices.Clone(messages))
		if messages[0] == 1 {
			b.Post(4)
			b.Post(5)
		}
	})
	for i := range 3 {
		b.Post(1 + i)
	}
	if n := b.Waiting(); n != 3 {
		t.Errorf("%d messages wait, want 3", n)
	}
	d.run()
	want := [][]int{{1, 2, 3}, {4, 5}}
	if !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Bursts of all sizes go through the same two lists without loss, and long ones do not keep their memory.
func TestInboxReusesLists(t *testing.T) {
	next, want := 0, 0
	b, d := testInbox(func(messages []int) {
		for _, m := range messages {
			if m != want {
				t.Fatalf("got %d, want %d", m, want)
			}
			want++
		}
	})
	for _, burst := range []int{1, 1, 2, 5, 1, 3 * reused, 1, 1, 1, 7} {
		for range burst {
			b.Post(next)
			next++
		}
		d.run()
	}
	if want != next {
		t.Errorf("%d of %d messages came", want, next)
	}
	if c := max(cap(b.waiting), cap(b.spare)); c > reused {
		t.Errorf("a drained inbox keeps room for %d messages", c)
	}
}

func TestInboxAllocatesNothing(t *testing.T) {
	b, d := new(Inbox[int]), new(last)
	b.mailbox = &mailbox{patient: true}
	b.mailbox.RegisterHandlers(takesAll(b, func([]int) {}), d)
	allocs := testing.AllocsPerRun(1000, func() {
		b.Post(1)
		b.Post(2)
		d.runner.run()
	})
	if allocs != 0 {
		t.Errorf("%v allocations for two messages, want none", allocs)
	}
}

func TestInboxConcurrentPosters(t *testing.T) {
	const posters, each = 8, 2000
	var latest [posters]int
	left := posters * each
	done := make(chan struct{})
	b := new(Inbox[int])
	b.mailbox = &mailbox{patient: true}
	dispatcher := newDispatcher()
	defer dispatcher.stop()
	b.mailbox.RegisterHandlers(takesAll(b, func(messages []int) {
		for _, m := range messages {
			from, n := m/each, m%each
			if n != latest[from] {
				t.Errorf("poster %d: message %d, want %d", from, n, latest[from])
			}
			latest[from]++
			if left--; left == 0 {
				close(done)
			}
		}
	}), dispatcher)
	var posting sync.WaitGroup
	for from := range posters {
		posting.Go(func() {
			for n := range each {
				b.Post(from*each + n)
			}
		})
	}
	posting.Wait()
	await(t, "all messages", done)
}
