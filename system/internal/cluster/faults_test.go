package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/actors"
)

// A partition that is longer than the silence that nodes bear makes each go on alone. When it heals, they link again
// and tell each other what they have now. Nothing from before comes twice.
func TestPartition(t *testing.T) {
	for name, cut := range map[string]func(w *world){
		"both ways":           func(w *world) { w.bus.Cut("a", "b") },
		"leader to follower":  func(w *world) { w.bus.CutTo("a", "b") },
		"follower to leader":  func(w *world) { w.bus.CutTo("b", "a") },
		"the bus has stopped": func(w *world) { w.bus.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.create("a", 1), w.create("b", 2)
				a.Offered(actors.Offered{Name: "s", ID: "old"}, nil)
				a.start()
				b.start()
				settle()
				a.send(b, "before")
				pass(0)
				before := [2]actors.Node{a.last(b).node, b.last(a).node}
				cut(w)
				pass(10 * time.Second)
				a.send(b, "lost")
				b.send(a, "lost")
				a.Withdrawn("s", "old")
				a.Offered(actors.Offered{Name: "s", ID: "new"}, nil)
				w.bus.Heal("a", "b")
				w.bus.Restart()
				settle()
				a.expectState(b, Linked)
				b.expectState(a, Linked)
				b.expect(a, "offered s new leaving=false")
				a.expect(b)
				for i, n := range before {
					if n.Send(text("late")) {
						t.Errorf("node %d from before takes parcels", i)
					}
				}
				old := b.of(a)[0].said()
				if want := []string{"offered s old leaving=false", "parcel 3 s before", "gone"}; fmt.Sprint(old) != fmt.Sprint(want) {
					t.Errorf("b heard before %q, want %q", old, want)
				}
			})
		})
	}
}

// A cut that is shorter than that resets the link only if something was lost.
func TestShortPartition(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		w.bus.Cut("a", "b")
		pass(time.Second)
		w.bus.Heal("a", "b")
		settle()
		if len(a.of(b)) != 1 || len(b.of(a)) != 1 {
			t.Error("nothing was lost, but the link began anew")
		}
		w.bus.Cut("a", "b")
		a.send(b, "lost")
		pass(time.Second)
		w.bus.Heal("a", "b")
		settle()
		expectReset(w, a, b)
	})
}

// The nodes notice within three seconds that one is gone, whenever in its rhythm it dies.
func TestGoneIsNoticedInTime(t *testing.T) {
	for _, offset := range []time.Duration{0, 1, 100, 249, 251, 499} {
		inBubble(t, func(t *testing.T, w *world) {
			a := w.add("a", 1)
			pass(offset * time.Millisecond)
			b := w.add("b", 2)
			settle()
			pass(offset * time.Millisecond)
			b.kill()
			pass(3 * time.Second)
			a.expectState(b, "")
			a.expect(b, "gone")
			if a.log.count("it has been silent for 2.5s") != 1 {
				t.Error(a.log)
			}
		})
	}
}

func TestRestartWithTheSameName(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		b.kill()
		again := w.create("b", 2)
		again.Watched("w", nil)
		again.start()
		pass(time.Second)
		a.expectState(again, Linked)
		a.expect(again, "watched w")
		pass(10 * time.Second)
		a.expectState(b, "")
		a.expect(b, "gone")
		a.expectState(again, Linked)
		if a.Counts().Twins != 0 || a.log.count("same name") != 0 {
			t.Errorf("a node that restarts is taken for a twin:\n%s", a.log)
		}
	})
}

func TestTwins(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b, c := w.add("a", 1), w.add("twin", 2), w.add("twin", 3)
		pass(time.Minute)
		for _, n := range []*node{a, b, c} {
			if n.Counts().Twins != 1 || n.log.count("two nodes have the same name") != 1 || n.log.count("setting=cluster.node") != 1 {
				t.Errorf("%s:\n%s", n.o.Name, n.log)
			}
		}
	})
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		version int
		want    State
	}{{1, Linked}, {2, Linked}, {3, Linked}, {4, Refused}, {0, Refused}} {
		t.Run(fmt.Sprint(test.version), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.create("a", 1), w.create("b", 2)
				a.protocol, b.protocol = 2, test.version
				a.start()
				b.start()
				if err := b.Settled(t.Context()); err != nil {
					t.Fatal(err)
				}
				settle()
				a.expectState(b, test.want)
				b.expectState(a, test.want)
				if test.want == Linked {
					a.send(b, "x")
					pass(0)
					b.expect(a, "parcel 3 s x")
					return
				}
				info, _ := a.info(b)
				if want := fmt.Sprintf("it speaks version %d of the protocol between nodes, and this node speaks 2: the versions may differ by one", test.version); info.Reason != want {
					t.Errorf("the reason is %q", info.Reason)
				}
				if a.Counts().Refused != 1 || a.log.count("a node is refused") != 1 || len(a.of(b)) != 0 {
					t.Error(a.log)
				}
				a.Watched("w", nil)
				b.kill()
				settle()
				a.expectState(b, "")
			})
		})
	}
}

// If the actors have not yet handled the end of the link to a node when that node is back, they hear first of the end.
func TestReturnDuringTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		b.mu.Lock()
		b.block = make(chan struct{})
		b.mu.Unlock()
		w.bus.Cut("a", "b")
		pass(5 * time.Second)
		w.bus.Heal("a", "b")
		a.Watched("w", nil)
		pass(5 * time.Second)
		if len(b.of(a)) != 1 {
			t.Error("the actors hear of a new session before the end of the last one")
		}
		close(b.block)
		settle()
		if said := b.of(a)[0].said(); len(said) != 1 || said[0] != "gone" {
			t.Errorf("b heard %q", said)
		}
		b.expect(a, "watched w")
		b.expectState(a, Linked)
	})
}

// If only one of two nodes has taken the other for gone, and has nothing to say, they link again nevertheless.
func TestOneSideForgets(t *testing.T) {
	for name, from := range map[string]string{"the leader": "b", "the follower": "a"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.add("a", 1), w.add("b", 2)
				settle()
				w.bus.CutTo(from, map[string]string{"a": "b", "b": "a"}[from])
				settle()
				w.bus.Heal("a", "b")
				settle()
				a.expectState(b, Linked)
				b.expectState(a, Linked)
				if len(a.of(b)) != 2 || len(b.of(a)) != 2 {
					t.Errorf("they were linked %d and %d times, want 2", len(a.of(b)), len(b.of(a)))
				}
				a.expect(b)
				b.expect(a)
			})
		})
	}
}

// A third node does not notice what happens between two others.
func TestOthersDoNotNotice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b, c := w.add("a", 1), w.add("b", 2), w.add("c", 3)
		settle()
		w.bus.Cut("a", "b")
		pass(10 * time.Second)
		a.expectState(b, "")
		for _, pair := range [][2]*node{{a, c}, {c, a}, {b, c}, {c, b}} {
			pair[0].expectState(pair[1], Linked)
			if len(pair[0].of(pair[1])) != 1 {
				t.Errorf("%s and %s have linked anew", pair[0].o.Name, pair[1].o.Name)
			}
			if !pair[0].send(pair[1], "x") {
				t.Error("a parcel was refused")
			}
		}
	})
}

func TestTooManyNodes(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.add("a", 1)
		for i := range maxNodes + 3 {
			a.hear(fmt.Appendf(nil, `{"id":"%032x","name":"n%d","protocol":1}`, i, i))
		}
		if c := a.Counts(); c.Nodes != maxNodes || c.TooMany != 3 {
			t.Errorf("%d nodes, %d too many", c.Nodes, c.TooMany)
		}
		pass(0)
		if a.log.count("there are too many") != 1 {
			t.Error("the log does not say so once")
		}
	})
}

func TestMalformedHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.add("a", 1)
		all := []string{
			"", "x", "{}", `{"id":"1","name":"n","protocol":1}`, `{"id":"` + strings.Repeat("z", 32) + `","name":"n","protocol":1}`,
			`{"id":"` + strings.Repeat("0", 32) + `","protocol":1}`, `{"id":"` + strings.Repeat("0", 32) + `","protocol":"1","name":"n"}`,
			`{"id":"` + strings.Repeat("0", 32) + `","protocol":1,"name":"` + strings.Repeat("n", 257) + `"}`,
			strings.Repeat(" ", maxHeartbeat) + `{"id":"` + strings.Repeat("0", 32) + `","name":"n","protocol":1}`,
		}
		for _, text := range all {
			a.hear([]byte(text))
		}
		if c := a.Counts(); c.Nodes != 0 || c.Malformed != uint64(len(all)) {
			t.Errorf("%d nodes, %d malformed, want %d", c.Nodes, c.Malformed, len(all))
		}
		a.hear([]byte(`{"id":"` + strings.Repeat("0", 32) + `","name":"n","protocol":1,"later":true}`))
		if c := a.Counts(); c.Nodes != 1 {
			t.Error("a heartbeat with a key of a later version is refused")
		}
	})
}

// A bus that refuses messages for a while is logged once each time.
func TestPublishErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.add("a", 1)
		for range 2 {
			w.bus.Stop()
			settle()
			w.bus.Restart()
			settle()
		}
		if a.Counts().PublishErrors < 4 || a.log.count("the bus does not take messages") != 2 || a.log.count("the bus takes messages again") != 2 {
			t.Error(a.log)
		}
	})
}

// What an actor refuses is dropped and counted, and the link goes on.
func TestRefusedItems(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		r := b.last(a)
		r.mu.Lock()
		r.refuse = errors.New("it is not good")
		r.mu.Unlock()
		done := make(chan struct{})
		a.Offered(actors.Offered{Name: "s", ID: "i"}, func() { close(done) })
		<-done
		a.send(b, "x")
		pass(0)
		info, _ := b.info(a)
		if info.Malformed != 2 || b.Counts().Malformed != 2 || len(info.Offered) != 0 || info.State != Linked {
			t.Errorf("%+v", info)
		}
		if b.log.count("it is not good") != 1 {
			t.Error(b.log)
		}
		// The log has other causes too, but not every time.
		r.mu.Lock()
		r.refuse = errors.New("it is worse")
		r.mu.Unlock()
		pass(toldEvery)
		a.send(b, "y")
		a.send(b, "z")
		pass(0)
		if b.log.count("it is worse") != 1 {
			t.Error(b.log)
		}
	})
}

// An actor that panics costs the link, and not the process.
func TestPanic(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		r := b.last(a)
		r.mu.Lock()
		r.explode = true
		r.mu.Unlock()
		a.send(b, "x")
		a.send(b, "y")
		settle()
		expectReset(w, a, b)
		if b.Counts().Panics != 1 || b.log.count("stack=") != 1 {
			t.Error(b.log)
		}
	})
}
