package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/system/internal/cluster/membus"
)

// match says which messages of nodes a test drops: those from a node, of a kind, the nth of them from 1 on; n 0 means
// all.
type match struct {
	from string
	kind kind
	nth  int
}

// drop drops messages from now on, and returns how many it has dropped.
func (w *world) drop(all ...match) *int {
	dropped := 0
	seen := make([]int, len(all))
	w.bus.DropIf(func(m membus.Message) bool {
		if strings.HasSuffix(m.Subject, ".all") {
			return false
		}
		h, _, err := parseHeader(m.Data)
		if err != nil {
			panic(err)
		}
		lost := false
		for i, match := range all {
			if match.from == m.From && match.kind == h.kind {
				seen[i]++
				lost = lost || match.nth == 0 || seen[i] == match.nth
			}
		}
		if lost {
			dropped++
		}
		return lost
	})
	return &dropped
}

// expectReset says that each of two nodes has had two Remotes of the other, of which the first is gone, that both count
// one reset, and that they are linked.
func expectReset(w *world, a, b *node) {
	w.t.Helper()
	for _, pair := range [][2]*node{{a, b}, {b, a}} {
		one, other := pair[0], pair[1]
		all := one.of(other)
		if len(all) != 2 {
			w.t.Fatalf("%s was linked to %s %d times, want 2; its log:\n%s", one.o.Name, other.o.Name, len(all), one.log)
		}
		if said := all[0].said(); len(said) == 0 || said[len(said)-1] != "gone" {
			w.t.Errorf("%s does not know that %s is gone: %q", one.o.Name, other.o.Name, said)
		}
		if info, _ := one.info(other); info.Resets != 1 || info.State != Linked {
			w.t.Errorf("%s counts %d resets and sees %s as %q", one.o.Name, info.Resets, other.o.Name, info.State)
		}
		if all[0].node.Send(text("late")) {
			w.t.Errorf("the node of a session that has ended takes parcels")
		}
		if !all[1].node.Send(text("new")) {
			w.t.Errorf("the node of the new session takes no parcels")
		}
	}
	if a.last(b).node.(*session).number != b.last(a).node.(*session).number {
		w.t.Errorf("the nodes are in different sessions")
	}
}

// Whatever is lost, from whichever side, the link begins anew once.
func TestLossesResetTheLink(t *testing.T) {
	for _, test := range []struct {
		name   string
		drop   []match
		twice  bool // a second parcel follows, which shows the gap
		within time.Duration
	}{
		{name: "leader's parcel, another follows", drop: []match{{"a", kindItems, 1}}, twice: true, within: 2 * tickEvery},
		{name: "follower's parcel, another follows", drop: []match{{"b", kindItems, 1}}, twice: true, within: 2 * tickEvery},
		{name: "leader's last parcel", drop: []match{{"a", kindItems, 1}}, within: beatEvery + 2*tickEvery},
		{name: "follower's last parcel", drop: []match{{"b", kindItems, 1}}, within: beatEvery + 2*tickEvery},
		{name: "both, so that the resets cross", drop: []match{{"a", kindItems, 1}, {"b", kindItems, 1}}, twice: true, within: 2 * tickEvery},
		{name: "leader's last parcel and the first mark", drop: []match{{"a", kindItems, 1}, {"a", kindMark, 1}}, within: 2*beatEvery + 2*tickEvery},
		{name: "follower's last parcel and five marks", drop: []match{{"b", kindItems, 1}, {"b", kindMark, 1}, {"b", kindMark, 2}, {"b", kindMark, 3}, {"b", kindMark, 4}, {"b", kindMark, 5}}, within: 6*beatEvery + 2*tickEvery},
		{name: "leader's parcel and the follower's reset", drop: []match{{"a", kindItems, 1}, {"b", kindReset, 1}}, twice: true, within: beatEvery + 3*tickEvery},
		{name: "leader's parcel and the new beginning", drop: []match{{"a", kindItems, 1}, {"a", kindBegin, 1}}, twice: true, within: 2*beatEvery + 3*tickEvery},
		{name: "follower's parcel and the new beginning", drop: []match{{"b", kindItems, 1}, {"a", kindBegin, 1}}, twice: true, within: 2*beatEvery + 3*tickEvery},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := w.add("a", 1), w.add("b", 2)
				settle()
				dropped := w.drop(test.drop...)
				// Both nodes have sent before either hears of a loss.
				w.bus.Delay("a", time.Millisecond)
				w.bus.Delay("b", time.Millisecond)
				for range map[bool]int{false: 1, true: 2}[test.twice] {
					if !a.send(b, "x") || !b.send(a, "y") {
						t.Fatal("a parcel was refused")
					}
					pass(2 * time.Millisecond)
				}
				pass(test.within)
				if *dropped < len(test.drop) {
					t.Fatalf("%d messages were dropped, want %d: the test does not test what it says", *dropped, len(test.drop))
				}
				w.bus.DropIf(nil)
				settle()
				expectReset(w, a, b)
			})
		})
	}
}

// The beginning of the first session may be lost as well. Then no actor has heard of the session.
func TestLostBeginnings(t *testing.T) {
	for name, drop := range map[string][]match{
		"the beginning":             {{"a", kindBegin, 1}},
		"the answer":                {{"b", kindBegin, 1}},
		"all of the first session":  {{"a", kindBegin, 1}, {"a", kindItems, 1}, {"a", kindMark, 1}},
		"the answer and its news":   {{"b", kindBegin, 1}, {"b", kindItems, 1}},
		"two beginnings":            {{"a", kindBegin, 1}, {"a", kindBegin, 2}},
		"the beginning and a reset": {{"a", kindBegin, 1}, {"b", kindReset, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				dropped := w.drop(drop...)
				a, b := w.create("a", 1), w.create("b", 2)
				a.Watched("wa", nil)
				b.Watched("wb", nil)
				a.start()
				b.start()
				settle()
				if *dropped != len(drop) {
					t.Fatalf("%d messages were dropped, want %d", *dropped, len(drop))
				}
				a.expectState(b, Linked)
				b.expectState(a, Linked)
				a.expect(b, "watched wb")
				b.expect(a, "watched wa")
				if len(a.of(b)) != 1 || a.Counts().Resets != 0 {
					t.Errorf("the leader was linked %d times, with %d resets", len(a.of(b)), a.Counts().Resets)
				}
			})
		})
	}
}

// A pair that loses every beginning does not keep the bus busy.
func TestResetsArePaced(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a := w.create("a", 1)
		b := w.create("b", 2)
		w.drop(match{"b", kindBegin, 0})
		a.start()
		b.start()
		pass(10 * time.Second)
		if sent := a.Counts().MessagesSent; sent > 10*4*3 {
			t.Errorf("%d messages in 10 s", sent)
		}
		pass(time.Second)
		if lines := a.log.count(anew); lines != 2 || a.log.count("suppressed=") != 1 {
			t.Errorf("%d lines in 11 s, want 2:\n%s", lines, a.log)
		}
		w.bus.DropIf(nil)
		settle()
		a.expectState(b, Linked)
		b.expectState(a, Linked)
	})
}

// Callers that wait for news are let go when the link begins anew.
func TestResetEndsWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		w.drop(match{"b", kindItems, 1}) // the answer to the news
		began := time.Now()
		done := make(chan time.Duration, 1)
		a.Offered(actors.Offered{Name: "s", ID: "i"}, func() { done <- time.Since(began) })
		if took := <-done; took > beatEvery+tickEvery {
			t.Errorf("the caller has waited %v", took)
		}
		settle()
		expectReset(w, a, b)
		if offered := b.last(a).said(); len(offered) == 0 || offered[0] != "offered s i leaving=false" {
			t.Errorf("the new session begins with %q", offered)
		}
	})
}

// Idle links are silent but for heartbeats.
func TestIdleLinksAreSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		a.send(b, "x")
		settle()
		if info, _ := a.info(b); info.Unacknowledged != 0 {
			t.Errorf("b has not acknowledged %d messages", info.Unacknowledged)
		}
		before := a.Counts().MessagesSent + b.Counts().MessagesSent
		pass(time.Minute)
		if after := a.Counts().MessagesSent + b.Counts().MessagesSent; after != before {
			t.Errorf("%d messages in a minute", after-before)
		}
	})
}

// A message that comes twice, as no bus should have it, is handled once.
func TestDoubledMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.add("a", 1), w.add("b", 2)
		settle()
		tap := w.bus.Connect("tap")
		defer tap.Close()
		if err := tap.Listen(b.subjectOf(b.id), func(data []byte) { b.take(data) }); err != nil {
			t.Fatal(err)
		}
		a.send(b, "x")
		pass(time.Second)
		b.expect(a, "parcel 3 s x")
		if b.Counts().Late == 0 || b.Counts().Resets != 0 {
			t.Errorf("counts: %+v", b.Counts())
		}
	})
}

// Somebody on the bus speaks for a node of sessions that it has not begun. The link begins anew when he is silent again.
func TestForgedSessions(t *testing.T) {
	for _, number := range []uint64{sessionSlack + 100, 1 << 63, 1<<64 - 1} {
		for name, forge := range map[string]func(h header) []byte{
			"begin": func(h header) []byte { return h.append(nil) },
			"reset": func(h header) []byte { h.kind = kindReset; return h.append(nil) },
			"mark":  func(h header) []byte { h.kind, h.first = kindMark, 1; return h.append(nil) },
			"items": func(h header) []byte {
				h.kind, h.first, h.count = kindItems, 1, 1
				return append(h.append(nil), 0, 0, 0, 1, 9)
			},
		} {
			t.Run(fmt.Sprint(name, " ", number), func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *world) {
					a, b := w.add("a", 1), w.add("b", 2)
					settle()
					for range 5 {
						b.take(forge(header{version: protocolVersion, kind: kindBegin, sender: a.id, session: number}))
						a.take(forge(header{version: protocolVersion, kind: kindBegin, sender: b.id, session: number}))
						pass(100 * time.Millisecond)
					}
					pass(5 * time.Second)
					a.expectState(b, Linked)
					b.expectState(a, Linked)
					if !a.send(b, "one") || !b.send(a, "two") {
						t.Fatal("a parcel was refused")
					}
					pass(0)
					for at, of := range map[*node]*node{a: b, b: a} {
						if said := at.last(of).said(); len(said) == 0 || !strings.HasPrefix(said[len(said)-1], "parcel") {
							t.Errorf("%s has heard %q", at.o.Name, said)
						}
					}
				})
			})
		}
	}
}
