package conferences

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// wrapped returns the service with what wrap makes of its Setup.
func wrapped(s *service.Service, wrap func(service.Setup) service.Setup) *service.Service {
	inner := s.Setup
	s.Setup = func(s service.Setup) error { return inner(wrap(s)) }
	return s
}

// gappy has the service miss events every 10 ms, beginning a second after its start.
type gappy struct {
	service.Setup
	gaps *int
}

func (g *gappy) Source(name string, run func(ctx context.Context, emit service.Emit) error, handle func(c service.Context, event any)) {
	g.Setup.Source(name, run, handle)
	g.After(time.Second, func(service.Context) {
		g.Every(10*time.Millisecond, func(c service.Context) {
			*g.gaps++
			handle(c, eventsocket.Delivery{Kind: eventsocket.KindGap})
		})
	})
}

// holder notes which requests are held.
type holder struct {
	service.Setup
	seen []weak.Pointer[held]
	left *atomic.Int64 // how many were held when ping was asked for last
}

// held is a request that a weak pointer can be to.
type held struct{ service.Request }

func (h *holder) Handle(topic string, f func(r service.Request) error) {
	h.Setup.Handle(topic, func(r service.Request) error {
		if topic == "ping" {
			h.left.Store(int64(h.count()))
			return f(r)
		}
		twin := &held{Request: r}
		h.seen = append(h.seen, weak.Make(twin))
		return f(twin)
	})
}

// count returns how many requests are held. It collects garbage several times, because a request may still be on the stack the
// first time.
func (h *holder) count() (n int) {
	for range 3 {
		runtime.GC()
	}
	for _, p := range h.seen {
		if p.Value() != nil {
			n++
		}
	}
	return n
}

// TestKickHoldsNothing has many ask for kick_all of a small conference. Once they are answered, no request is held.
func TestKickHoldsNothing(t *testing.T) {
	const askers = 200
	s, _ := crowd(t, 3, 1300)
	var ids []string
	for i := range askers {
		ids = append(ids, s.Ask(t, time.Second+time.Duration(i)*10*time.Millisecond, "admin", Name, "action", kickAllOf(roomA)))
	}
	s.Ask(t, 10*time.Second, "admin", Name, "ping", nil)
	var left atomic.Int64
	left.Store(-1)
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return wrapped(plain(sw), func(s service.Setup) service.Setup { return &holder{Setup: s, left: &left} })
	})
	for _, id := range ids {
		if answers := r.Replies(id); len(answers) != 1 || answers[0].At > 9*time.Second {
			t.Fatalf("answers %+v, want one before the deadline", answers)
		}
	}
	if n := left.Load(); n < 0 || n > 1 {
		t.Errorf("%d of %d requests are held after their answers", n, askers)
	}
}
