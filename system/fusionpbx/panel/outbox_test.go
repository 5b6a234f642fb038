package panel

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestManyWait has more pushes wait for the database than a service may have timers. All of them go out in order, when
// the first has waited long enough.
func TestManyWait(t *testing.T) {
	const many, timers = 300, 50
	events := make([]sent, many)
	for i := range events {
		events[i] = inRoom(time.Second, "energy-level", fmt.Sprintf("Member-ID: %d", i))
	}
	db := &slow{newSite(t)}
	r := replay.Play(t, madeUp(t, events...), replay.Options{}, func(sw replay.Switch) *service.Service {
		built := New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
		built.Limits.Timers = timers
		return built
	})
	got := pushes(r, "energy_level", keyMember)
	if len(got) != many {
		t.Fatalf("%d pushes, want %d", len(got), many)
	}
	for i, push := range got {
		if want := fmt.Sprintf("energy_level %d", i); push != want {
			t.Fatalf("push %d is %q, want %q", i, push, want)
		}
	}
	for _, m := range r.Said {
		if m.IsPush() && m.At > 2*time.Second {
			t.Fatalf("%s came at %s, long after the event", m.Topic, m.At)
		}
	}
}

// manual is the clock of an outbox and its one timer, which the test ends.
type manual struct {
	now   time.Time
	timer *alarm // the last one that was set
	set   int    // timers that were set and have neither ended nor been stopped
}

type alarm struct {
	clock   *manual
	due     time.Time
	call    func(service.Context)
	stopped bool
}

func (m *manual) after(d time.Duration, f func(service.Context)) service.Timer {
	m.set++
	m.timer = &alarm{clock: m, due: m.now.Add(d), call: f}
	return m.timer
}

func (a *alarm) Jitter(time.Duration) service.Timer { return a }

func (a *alarm) Stop() {
	if !a.stopped {
		a.stopped = true
		a.clock.set--
	}
}

// at moves the clock to so many milliseconds after its start, and ends the timers on the way.
func (m *manual) at(ms int) {
	to := time.Time{}.Add(time.Duration(ms) * time.Millisecond)
	for a := m.timer; a != nil && !a.stopped && !a.due.After(to); a = m.timer {
		m.now = a.due
		a.Stop()
		a.call(nil)
	}
	m.now = to
}

// TestTimerOfFirst wants each push to go out when the first one is ready, or has waited long enough, and one timer at a
// time for that.
func TestTimerOfFirst(t *testing.T) {
	clock := &manual{}
	var said []string
	l := &life{}
	l.out = outbox{
		after: clock.after,
		now:   func() time.Time { return clock.now },
		plain: func(topic string, _ any) {
			said = append(said, fmt.Sprint(topic, " ", clock.now.Sub(time.Time{}).Milliseconds()))
		},
	}
	waits := func(name string) *push {
		return &push{topic: name, make: func() envelope.Raw { return envelope.Raw("{}") }}
	}
	one := func(when string, want int) {
		t.Helper()
		if clock.set != want {
			t.Errorf("%s: %d timers are set, want %d", when, clock.set, want)
		}
	}
	one("nothing waits", 0)
	first, inserted, second := waits("first"), waits("inserted"), waits("second")
	first.said = func() { l.insert([]*push{inserted}) }
	l.enqueue(first)
	one("the first waits", 1)
	clock.at(10)
	l.enqueue(second)
	one("two wait", 1)
	clock.at(255) // the first goes out at 250; what it inserts may wait until 500
	one("the inserted one is first", 1)
	l.release(inserted)
	one("the second is first", 1) // it may wait until 260
	clock.at(300)
	one("all are said", 0)
	last := waits("last")
	l.enqueue(last)
	clock.at(400)
	l.release(last)
	clock.at(1000)
	one("the end", 0)
	if want := []string{"first 250", "inserted 255", "second 260", "last 400"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}
