package servicetest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"strowger/system/service"
)

func crash(t *testing.T, start starter) {
	h := start(t, setup(func(s service.Setup) {
		count := 0
		s.Handle("count", func(r service.Request) error {
			count++
			r.Reply(count)
			return nil
		})
		s.Handle("wait", func(service.Request) error { return nil })
		s.Handle("crash", func(service.Request) error { panic("servicetest") })
	}))
	c := h.Call(t)
	c.Send("count", `1`, "")
	expect(t, c, `1`, 200, "count", `1`)
	c.Send("wait", `2`, "")
	c.Send("crash", `3`, "")
	c.Send("count", `4`, "")
	// The mailbox survives, the state does not.
	got := map[string]int{}
	for range 2 {
		m := NextBut(c)
		got[m.ID] = m.Status
	}
	if got[`2`] != 500 || got[`3`] != 500 {
		t.Errorf("statuses by id %v, want 2 and 3 with 500", got)
	}
	expect(t, c, `4`, 200, "count", `1`)
}

func crashes(t *testing.T, start starter) {
	s := setup(func(s service.Setup) {
		s.Handle("crash", func(service.Request) error { panic("servicetest") })
		s.Handle("ok", func(r service.Request) error { r.Reply("ok"); return nil })
	})
	s.Supervision = service.Supervision{Intensity: 2, Period: time.Minute, Backoff: time.Millisecond, CoolDown: 100 * time.Millisecond}
	c := start(t, s).Call(t)
	// Whatever state it is in, every request is answered; and in the end it is back.
	seen := map[int]bool{}
	for n := range 20 {
		id := strconv.Itoa(n + 1)
		c.Send("crash", id, "")
		m := NextBut(c)
		if m.ID != id || m.Status != 500 && m.Status != 503 {
			t.Fatalf("request %s: answer %s with status %d", id, m.ID, m.Status)
		}
		seen[m.Status] = true
	}
	if !seen[500] || !seen[503] {
		t.Errorf("statuses seen: %v, want 500 and 503", seen)
	}
	for n := 100; ; n++ {
		id := strconv.Itoa(n)
		c.Send("ok", id, "")
		m, changed := nextAnswer(c)
		if m.ID == id && m.Status == 200 {
			break
		}
		if m.ID != id || m.Status != 503 {
			t.Fatalf("request %s: answer %s with status %d", id, m.ID, m.Status)
		}
		for !changed {
			changed = isState(c.Next())
		}
	}
}

// nextAnswer returns the next message that is no change of state, and whether one came before it. A service
// that comes up while it refuses a request may say so first, and then no other change follows the refusal.
func nextAnswer(c Caller) (m Message, changed bool) {
	for m = c.Next(); isState(m); m = c.Next() {
		changed = true
	}
	return m, changed
}

func state(t *testing.T, start starter) {
	c := start(t, setup(func(s service.Setup) {
		s.Handle("crash", func(service.Request) error { panic("servicetest") })
	})).Call(t)
	c.Send(service.StateTopic, `1`, "")
	m := NextBut(c)
	if m.ID != `1` || m.Status != 200 || !contains(m, `"state":"up"`) {
		t.Fatalf("state %d %s", m.Status, m.Payload)
	}
	c.Send("crash", `2`, "")
	expect(t, c, `2`, 500, "crash", `null`)
	for _, want := range []string{`"state":"restarting"`, `"state":"up"`} {
		if m := c.Next(); m.Topic != service.StateTopic || m.ID != "" || !contains(m, want) {
			t.Fatalf("got %s %s %s, want a broadcast with %s", m.Topic, m.ID, m.Payload, want)
		}
	}
}

func source(t *testing.T, start starter) {
	const events = 2000
	begin := make(chan struct{})
	h := start(t, setup(func(s service.Setup) {
		s.Source("numbers", func(ctx context.Context, emit service.Emit) error {
			select {
			case <-begin:
			case <-ctx.Done():
				return ctx.Err()
			}
			for n := range events {
				if err := emit(n); err != nil {
					return err
				}
			}
			return nil
		}, func(c service.Context, event any) { c.Broadcast("event", event) })
		s.Handle("there", func(r service.Request) error { r.Reply(nil); return nil })
	}))
	c := h.Call(t)
	c.Send("there", `1`, "")
	expect(t, c, `1`, 200, "there", `null`)
	close(begin)
	for n := range events {
		expect(t, c, ``, 0, "event", strconv.Itoa(n))
	}
}
