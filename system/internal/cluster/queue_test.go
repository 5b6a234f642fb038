package cluster

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/runtime"
)

// bounds has nodes with small queues and messages.
func (w *world) bounds(queue, message int64) {
	w.tune = func(o *Options) {
		o.QueueBytes = func() int64 { return queue }
		if message > 0 {
			o.MaxMessage = func() int64 { return message }
		}
	}
}

// leased returns a parcel that holds a lease of the window.
func leased(window *runtime.Window, size int) *actors.Parcel {
	window.Take(int64(size))
	return &actors.Parcel{Kind: actors.BroadcastParcel, Service: "s", Text: bytes.Repeat([]byte("x"), size), Lease: runtime.NewLease(window, int64(size))}
}

// sendLeased sends such a parcel and lets go of it, as actors do.
func (n *node) sendLeased(other *node, window *runtime.Window, size int) bool {
	n.world.t.Helper()
	p := leased(window, size)
	defer p.Lease.Release()
	return n.last(other).node.Send(p)
}

// While the bus takes nothing, a queue fills up to its bound. What does not fit is refused, and the other node learns
// that it has missed something.
func TestQueueBound(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.bounds(10_000, 0)
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		a.conn.Stall(true)
		var window runtime.Window
		accepted := 0
		for a.sendLeased(b, &window, 1000) {
			accepted++
		}
		if accepted < 5 || accepted > 10 {
			t.Errorf("%d messages of 1000 bytes fit into 10,000", accepted)
		}
		if window.Used() != int64(accepted)*1000 {
			t.Errorf("%d bytes are held, want those of %d messages", window.Used(), accepted)
		}
		if a.sendLeased(b, &window, 1) {
			t.Error("a message is taken after one that was refused: the other node would not get it")
		}
		info, _ := a.info(b)
		if info.QueueBytes == 0 || info.QueueBytes > 10_000+2*entryCost || a.Counts().QueueBytes != info.QueueBytes {
			t.Errorf("%d bytes are queued", info.QueueBytes)
		}
		a.conn.Stall(false)
		settle()
		expectReset(w, a, b)
		if window.Used() != 0 {
			t.Errorf("%d bytes are still held", window.Used())
		}
		if got := len(b.of(a)[0].said()); got != accepted+1 {
			t.Errorf("b heard %d things, want %d parcels and the end", got, accepted)
		}
		if a.Counts().QueueFull != 1 || a.Counts().ParcelsDropped < 2 || a.log.count("setting=cluster.queue_bytes") != 1 {
			t.Errorf("%+v\n%s", a.Counts(), a.log)
		}
	})
}

// A message that is longer than the whole bound is taken if nothing else waits.
func TestOneLongMessageHasRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.bounds(1000, 0)
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		if !a.send(b, "%s", strings.Repeat("x", 5000)) {
			t.Error("it was refused")
		}
		settle()
		if len(b.last(a).said()) != 1 || a.Counts().Resets != 0 {
			t.Error("it has not arrived")
		}
	})
}

// A node that handles nothing fills up its own queue on the other side. Others get what is for them meanwhile.
func TestSlowNodeSlowsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.bounds(10_000, 0)
		a, b, c := w.add("a", 1), w.add("b", 2), w.add("c", 3)
		settle()
		c.mu.Lock()
		c.block = make(chan struct{})
		c.mu.Unlock()
		// What a says blocks c's goroutine for a. What b says to c goes by another, which is blocked too.
		const n = 100
		for range n {
			if !a.sendLeased(b, new(runtime.Window), 1000) {
				t.Fatal("b's queue is full")
			}
			a.sendLeased(c, new(runtime.Window), 1000)
			pass(0)
		}
		if got := len(b.last(a).said()); got != n {
			t.Errorf("b got %d messages, want %d", got, n)
		}
		a.expectState(c, Joining)
		if c.Counts().InboxFull == 0 || c.log.count("too much that a node has sent waits to be handled") == 0 {
			t.Error(c.log)
		}
		close(c.block)
		settle()
		a.expectState(c, Linked)
		c.expectState(a, Linked)
		if len(a.of(b)) != 1 {
			t.Error("the link to b has begun anew")
		}
		if !a.send(c, "x") {
			t.Error("a parcel was refused")
		}
	})
}

// Messages that are longer than the bus takes go in pieces, in order with the others.
func TestFragments(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.bus.SetMaxBytes(512)
		w.bounds(10<<20, 0)
		a := w.create("a", 1)
		long := strings.Repeat("w", 2000)
		a.Watched(long, nil) // the snapshot has one too
		a.start()
		b := w.add("b", 2)
		settle()
		want := []string{"watched " + long}
		for _, size := range []int{1, 400, 430, 440, 450, 460, 470, 480, 490, 500, 512, 1000, 100_000, 1} {
			a.send(b, "%s", strings.Repeat("x", size))
			want = append(want, "parcel 3 s "+strings.Repeat("x", size))
		}
		pass(0)
		b.expect(a, want...)
		if info, _ := a.info(b); info.ParcelsSent != 14 || a.Counts().Resets != 0 {
			t.Errorf("%d parcels were sent, and %d resets", info.ParcelsSent, a.Counts().Resets)
		}
		if info, _ := b.info(a); info.ParcelsReceived != 14 || info.BytesReceived < 100_000 {
			t.Errorf("%d parcels with %d bytes came", info.ParcelsReceived, info.BytesReceived)
		}
	})
}

func TestLostFragments(t *testing.T) {
	for name, drop := range map[string]match{"first": {"a", kindFragment, 1}, "middle": {"a", kindFragment, 5}, "last": {"a", kindFragment, 11}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.bus.SetMaxBytes(512)
				a, b := w.add("a", 1), w.add("b", 2)
				settle()
				dropped := w.drop(drop)
				a.send(b, "%s", strings.Repeat("x", 4900))
				settle()
				if *dropped != 1 {
					t.Fatal("nothing was dropped")
				}
				expectReset(w, a, b)
				b.send(a, "x")
				if said := b.of(a)[0].said(); len(said) != 1 {
					t.Errorf("b heard %q", said)
				}
			})
		})
	}
}

// A message beyond the bound is refused by its sender, and by the receiver if the sender has another bound. Both say
// which setting decides.
func TestLongMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.bounds(100<<20, 1000)
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		var window runtime.Window
		if !a.sendLeased(b, &window, 1000) || a.sendLeased(b, &window, 1000+maxBeside) {
			t.Error("the bound does not hold")
		}
		settle()
		expectReset(w, a, b)
		if window.Used() != 0 || a.log.count("setting=limits.service_bytes") != 1 {
			t.Errorf("%d bytes are held\n%s", window.Used(), a.log)
		}
	})
	inBubble(t, func(t *testing.T, w *world) {
		w.bounds(100<<20, 1<<20)
		a := w.add("a", 1)
		w.bounds(100<<20, 1000)
		b := w.add("b", 2)
		settle()
		if !a.send(b, "%s", strings.Repeat("x", 1000+maxBeside)) {
			t.Error("the sender refuses it")
		}
		settle()
		expectReset(w, a, b)
		if b.log.count("setting=limits.service_bytes") != 1 {
			t.Error(b.log)
		}
	})
}

// Whatever becomes of a parcel, its share goes back.
func TestLeasesGoBack(t *testing.T) {
	for name, end := range map[string]func(w *world, a, b *node){
		"published":     func(w *world, a, b *node) { a.conn.Stall(false) },
		"reset":         func(w *world, a, b *node) { b.send(a, "x"); b.send(a, "y") },
		"gone":          func(w *world, a, b *node) { b.kill() },
		"stopped":       func(w *world, a, b *node) { a.conn.Stall(false); a.Stop(w.t.Context()) },
		"not published": func(w *world, a, b *node) { a.kill() },
		"stopped in vain": func(w *world, a, b *node) {
			ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
			defer cancel()
			a.Stop(ctx)
		},
		"bus stopped": func(w *world, a, b *node) { w.bus.Stop(); a.conn.Stall(false) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.add("a", 1), w.add("b", 2)
				settle()
				w.drop(match{"b", kindItems, 1})
				a.conn.Stall(true)
				var window runtime.Window
				for range 10 {
					a.sendLeased(b, &window, 1000)
					pass(0) // the first one is being published, and the others wait
				}
				if window.Used() == 0 {
					t.Fatal("nothing is held while it waits")
				}
				end(w, a, b)
				pass(3 * time.Second)
				// What Publish has is held until the bus takes it.
				a.conn.Stall(false)
				pass(0)
				if window.Used() != 0 {
					t.Errorf("%d bytes are still held", window.Used())
				}
			})
		})
	}
}

// A stop waits for what is queued as long as its context allows.
func TestStopWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		a.conn.Stall(true)
		a.send(b, "x")
		go func() {
			time.Sleep(time.Second)
			a.conn.Stall(false)
		}()
		began := time.Now()
		a.Stop(t.Context())
		if took := time.Since(began); took != time.Second {
			t.Errorf("Stop took %v", took)
		}
		pass(0)
		b.expect(a, "parcel 3 s x", "gone")
		if b.log.count("it has said that it leaves") != 1 {
			t.Error(b.log)
		}
		a.Stop(t.Context()) // once more does nothing
	})
}

func TestStopEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		a.conn.Stall(true)
		a.send(b, "x")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		a.Stop(ctx)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Stop took %v", took)
		}
	})
}
