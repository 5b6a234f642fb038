package cluster

import (
	"testing"
	"time"

	"strowger/actors"
)

func TestTwoNodesLink(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.create("a", 1)
		a.Offered(actors.Offered{Name: "s", ID: "i1"}, nil)
		a.Watched("w", nil)
		a.start()
		b := w.add("b", 2)
		if err := b.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.expectState(a, Linked)
		b.expect(a, "offered s i1 leaving=false", "watched w")
		if a.last(b).node.Name() != "b" {
			t.Errorf("the node has the name %q", a.last(b).node.Name())
		}
		a.expect(b)
		if of, to := b.last(a), a.last(b); of.known != 2 || to.known != 0 {
			t.Errorf("the nodes were known after %d and %d calls", of.known, to.known)
		}
		if !a.send(b, "one") || !a.send(b, "two") || !b.send(a, "three") {
			t.Fatal("a parcel was refused")
		}
		pass(0)
		b.expect(a, "offered s i1 leaving=false", "watched w", "parcel 3 s one", "parcel 3 s two")
		a.expect(b, "parcel 3 s three")
		if resets := a.Counts().Resets + b.Counts().Resets; resets != 0 {
			t.Errorf("%d resets", resets)
		}
		if a.log.count("a node has joined") != 1 || b.log.count("a node has joined") != 1 {
			t.Errorf("logs:\n%s\n%s", a.log, b.log)
		}
	})
}

func TestNewsAreAcknowledged(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		done := make(chan string, 10)
		b.mu.Lock()
		b.block = make(chan struct{})
		b.mu.Unlock()
		a.Offered(actors.Offered{Name: "s", ID: "i"}, func() { done <- "offered" })
		a.Watched("w", func() { done <- "watched" })
		pass(0)
		if len(done) != 0 {
			t.Fatal("done was called before the other node had heard the news")
		}
		close(b.block)
		pass(0)
		if len(done) != 2 || <-done != "offered" || <-done != "watched" {
			t.Errorf("done was not called, or in another order")
		}
		a.Unwatched("w")
		a.Withdrawn("s", "i")
		a.Withdrawn("s", "i")
		pass(0)
		b.expect(a, "offered s i leaving=false", "watched w", "unwatched w", "withdrawn s i")
		info, _ := b.info(a)
		if len(info.Offered) != 0 || len(info.Watched) != 0 {
			t.Errorf("b still sees %v and %v", info.Offered, info.Watched)
		}
	})
}

func TestDoneWithoutOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.create("a", 1)
		called := 0
		a.Offered(actors.Offered{Name: "s", ID: "i"}, func() { called++ })
		a.start()
		a.Watched("w", func() { called++ })
		if called != 2 {
			t.Errorf("done was called %d times, want 2", called)
		}
	})
}

// A node that does not answer holds its caller up for two seconds, or until it is gone.
func TestDoneComesInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		b.mu.Lock()
		b.block = make(chan struct{})
		b.mu.Unlock()
		defer close(b.block)
		done := make(chan time.Time, 1)
		began := time.Now()
		a.Watched("w", func() { done <- time.Now() })
		if late := (<-done).Sub(began); late < ackTimeout || late > ackTimeout+tickEvery {
			t.Errorf("done was called after %v", late)
		}
		if a.Counts().AcksLate != 1 {
			t.Errorf("counted %d late answers", a.Counts().AcksLate)
		}
	})
}

func TestBye(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		for range 100 {
			a.send(b, "x")
		}
		last := a.last(b)
		a.Stop(t.Context())
		pass(0)
		b.expectState(a, "")
		if said := b.last(a).said(); len(said) != 101 || said[100] != "gone" {
			t.Errorf("b heard %d things: %q", len(said), said)
		}
		if said := last.said(); len(said) != 1 || said[0] != "gone" {
			t.Errorf("a heard %q", said)
		}
		if last.node.Send(text("late")) {
			t.Error("a node that has stopped still takes parcels")
		}
		if b.log.count("it has said that it leaves") != 1 {
			t.Error(b.log)
		}
	})
}

func TestSilence(t *testing.T) {
	for name, first := range map[string]byte{"leader dies": 1, "follower dies": 3} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.add("a", first), w.add("b", 2)
				settle()
				a.kill()
				pass(2 * time.Second)
				b.expectState(a, Linked)
				pass(time.Second)
				b.expectState(a, "")
				b.expect(a, "gone")
				if b.send(a, "late") {
					t.Error("a node that is gone still takes parcels")
				}
			})
		})
	}
}
