package runtime

import (
	"slices"
	"testing"
)

type stashed struct {
	Held
	name string
}

func TestStash(t *testing.T) {
	w := window(1 << 20)
	message := func(name string) *stashed {
		w.Acquire(10)
		return &stashed{Hold(NewLease(w, 10)), name}
	}
	var s Stash[*stashed]
	for _, name := range []string{"a", "b", "c", "d"} {
		m := message(name)
		s.Keep(m)
		m.Release() // as the guard does after Receive
	}
	if got := w.Used(); got != 40 {
		t.Fatalf("%d bytes leased for 4 messages, want 40", got)
	}
	var got []string
	var passed Held
	s.Replay(func() bool { return len(got) < 3 }, func(m *stashed) {
		got = append(got, m.name)
		if m.name == "b" {
			passed = m.Pass()
		}
	})
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("replayed %q", got)
	}
	if got := w.Used(); got != 20 {
		t.Errorf("%d bytes leased, want those of the one that is left and of the one that was passed on", got)
	}
	s.Drop()
	passed.Release()
	if got := w.Used(); got != 0 || s.kept != nil {
		t.Errorf("%d bytes leased and %d messages kept at the end", got, len(s.kept))
	}
}

func TestHeldIsShared(t *testing.T) {
	w := window(1 << 20)
	w.Acquire(10)
	h := Hold(NewLease(w, 10))
	other := h.Share()
	h.Release()
	if got := w.Used(); got != 10 {
		t.Errorf("%d bytes leased while somebody has the other share, want 10", got)
	}
	other.Release()
	if got := w.Used(); got != 0 {
		t.Errorf("%d bytes leased at the end", got)
	}
	var nobody Held
	shared := nobody.Share()
	shared.Release()
	nobody.Release()
}
