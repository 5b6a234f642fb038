package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// single adds a node that would run the singleton x.
func (w *world) single(name string, first byte, has ...string) *node {
	w.t.Helper()
	n := w.create(name, first)
	if err := n.Keep([]string{"x"}, has); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// owners returns the names of the nodes that have x.
func (w *world) owners() string {
	var names []string
	for _, n := range w.nodes {
		if n.Has("x") {
			names = append(names, n.o.Name)
		}
	}
	return strings.Join(names, " ")
}

// expectOwners compares which nodes have x.
func (w *world) expectOwners(want string) {
	w.t.Helper()
	if got := w.owners(); got != want {
		w.t.Errorf("the singleton is on %q, want %q; logs:", got, want)
		for _, n := range w.nodes {
			w.t.Logf("%s: %s", n.o.Name, n.log)
		}
	}
}

// watchOwners lets time pass and fails if two nodes have x meanwhile. It returns how long no node has had it.
func (w *world) watchOwners(d time.Duration) (without time.Duration) {
	w.t.Helper()
	const step = 10 * time.Millisecond
	for range d / step {
		pass(step)
		switch owners := w.owners(); {
		case owners == "":
			without += step
		case strings.Contains(owners, " "):
			w.t.Fatalf("the singleton is on %s", owners)
		}
	}
	return without
}

// Nodes that start at once, whatever their order, agree on the first one, and none has it before they do.
func TestSingletonsStartAtOnce(t *testing.T) {
	for _, order := range []string{"abc", "cba", "bca"} {
		t.Run(order, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				for i, name := range order {
					w.single(string(name), byte(9-i)).start()
				}
				if without := w.watchOwners(5 * time.Second); without > goneAfter {
					t.Errorf("no node has had it for %v", without)
				}
				w.expectOwners("a")
			})
		})
	}
}

// A node that is alone takes a singleton once it has had time to hear others. One that comes later and would come first
// leaves it where it is.
func TestSingletonStaysWhereItIs(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.single("b", 1).start()
		pass(goneAfter - tickEvery)
		w.expectOwners("")
		pass(2 * tickEvery)
		w.expectOwners("b")
		w.single("a", 2).start()
		w.add("0", 3) // it would not run it
		w.watchOwners(10 * time.Second)
		w.expectOwners("b")
	})
}

// The node that has a singleton dies. The first of the others takes it within 5 s.
func TestSingletonOfADeadNode(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b, c := w.single("a", 3), w.single("b", 2), w.single("c", 1)
		for _, n := range []*node{a, b, c} {
			n.start()
		}
		settle()
		w.expectOwners("a")
		a.kill()
		a.Stand("x", false) // it is dead, so owners must not count it
		if without := w.watchOwners(5 * time.Second); without > goneAfter+beatEvery {
			t.Errorf("no node has had it for %v", without)
		}
		w.expectOwners("b")
		if b.log.count("this node takes a singleton") != 1 || b.log.count("node a: it has been silent for 2.5s") != 1 {
			t.Errorf("its log:\n%s", b.log)
		}
		if b.Counts().Taken != 1 || c.Counts().Taken != 0 {
			t.Errorf("b took %d, c took %d", b.Counts().Taken, c.Counts().Taken)
		}
	})
}

// A node that leaves in good order, or would not run it any more, leaves it to another one at once.
func TestSingletonIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b, c := w.single("a", 1), w.single("b", 2), w.single("c", 3)
		for _, n := range []*node{a, b, c} {
			n.start()
		}
		settle()
		if to := a.Elsewhere("x", Stands); to != "b" {
			t.Errorf("%q would run it", to)
		}
		a.Stand("x", false)
		pass(0)
		w.expectOwners("b")
		b.Serving("x")
		pass(0)
		if to := a.Elsewhere("x", Serves); to != "b" {
			t.Errorf("%q serves it", to)
		}
		b.Stop(t.Context())
		b.Stand("x", false)
		pass(0)
		w.expectOwners("c")
		a.Stand("x", true)
		w.watchOwners(3 * time.Second)
		w.expectOwners("c")
	})
}

// A node is cut off and returns. Meanwhile both sides have the singleton, and soon after it one has: the first by name,
// whichever had it before.
func TestSingletonOnBothSidesOfACut(t *testing.T) {
	for _, cut := range []string{"a", "b", "c"} {
		t.Run(cut, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				for i, name := range []string{"a", "b", "c"} {
					w.single(name, byte(3-i)).start()
				}
				settle()
				for _, other := range w.nodes {
					if other.o.Name != cut {
						w.bus.Cut(cut, other.o.Name)
					}
				}
				pass(goneAfter + beatEvery)
				want := map[string]string{"a": "a b", "b": "a b", "c": "a c"}[cut]
				w.expectOwners(want)
				for _, other := range w.nodes {
					w.bus.Heal(cut, other.o.Name)
				}
				pass(2 * beatEvery)
				w.expectOwners("a")
				w.watchOwners(5 * time.Second)
				if yielded := w.nodes[1].Counts().Yielded + w.nodes[2].Counts().Yielded; yielded != 1 {
					t.Errorf("%d nodes gave it up", yielded)
				}
			})
		})
	}
}

// One on which a singleton does not work leaves it to another, and takes it back only if that one fails too. While there
// is no other, it keeps it.
func TestAilingSingleton(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const pause = 30 * time.Second
		a := w.single("a", 1)
		a.start()
		settle()
		a.Ailing("x", true, pause)
		pass(10 * time.Second)
		w.expectOwners("a")
		b := w.single("b", 2)
		b.start()
		pass(2 * time.Second)
		w.expectOwners("b")
		if a.log.count("this node gives a singleton up") != 1 || b.log.count("it does not work on node a") != 1 {
			t.Errorf("logs:\n%s\n%s", a.log, b.log)
		}
		b.Ailing("x", true, pause)
		pass(pause / 2)
		w.expectOwners("b") // a rests
		pass(pause)
		w.expectOwners("a")
		a.Ailing("x", true, pause)
		pass(0)
		a.Ailing("x", false, pause)
		pass(5 * time.Second)
		w.expectOwners("a") // b rests, and it works again
		a.kill()
		a.Stand("x", false)
		pass(5 * time.Second)
		w.expectOwners("b") // although it rests: there is no other
	})
}

// A process takes the place of a node. The singletons stay there, unless it does not come in time.
func TestSingletonOfASuccessor(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("late ", late), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				old, other := w.single("b", 1), w.single("a", 2)
				old.start()
				settle()
				other.start()
				settle()
				old.HandDown()
				old.Stop(t.Context())
				old.Stand("x", false)
				if late {
					pass(heirWait + beatEvery)
					w.expectOwners("a")
				} else {
					pass(heirWait / 2)
					w.expectOwners("")
				}
				w.single("b", 3, "x").start()
				pass(2 * beatEvery)
				w.expectOwners(map[bool]string{false: "b", true: "a"}[late])
			})
		})
	}
}

// A process that did not run for a while looks around before it takes what it takes for lost.
func TestSingletonAfterAPause(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.single("a", 1), w.single("b", 2)
		b.start()
		settle()
		a.start()
		settle()
		w.expectOwners("b")
		a.Links.mu.Lock()
		now := a.o.Clock.Now()
		a.ticked = now.Add(-10 * time.Second)
		for _, m := range a.members {
			m.heard = now.Add(-10 * time.Second)
		}
		a.Links.mu.Unlock()
		w.watchOwners(5 * time.Second)
		w.expectOwners("b")
	})
}

// A node that cannot join the bus runs what it would run.
func TestSingletonsWithoutABus(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.single("a", 1)
		a.Alone()
		w.expectOwners("a")
	})
}

// What heartbeats say of singletons fits in them, or the node says so at its start.
func TestNamesOfSingletonsFit(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		names := func(n int) (all []string) {
			for i := range n {
				all = append(all, fmt.Sprintf("%0100d", i))
			}
			return all
		}
		few, many := w.create("a", 1), w.create("b", 2)
		if err := few.Keep(names(30), nil); err != nil {
			t.Error(err)
		}
		if err := many.Keep(names(40), nil); !errors.Is(err, errManySingletons) {
			t.Errorf("Keep returns %v", err)
		}
		few.start()
		settle()
		if n := len(few.Nodes()[0].Singletons); n != 30 {
			t.Errorf("it has %d", n)
		}
	})
}

// A stance that this version does not know is none.
func TestUnknownStance(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.single("a", 1), w.add("b", 2)
		a.start()
		settle()
		a.hear(fmt.Appendf(nil, `{"id":%q,"name":"b","protocol":1,"version":"1","singletons":{"x":"dances","y":"runs"}}`, b.id))
		i, _ := a.info(b)
		if len(i.Singletons) != 1 || i.Singletons["y"] != Runs {
			t.Errorf("b says %v", i.Singletons)
		}
		pass(5 * time.Second)
		w.expectOwners("a")
	})
}
