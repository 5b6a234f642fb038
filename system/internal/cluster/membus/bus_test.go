package membus

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"strowger/system/internal/cluster"
)

var _ cluster.Conn = (*Conn)(nil)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// ear is a Conn that remembers what came.
type ear struct {
	*Conn
	mu    sync.Mutex // Protects following.
	heard []string
}

func (b *Bus) ear(t *testing.T, name string, subjects ...string) *ear {
	t.Helper()
	e := &ear{Conn: b.Connect(name)}
	for _, subject := range subjects {
		if err := e.Listen(subject, e.hear); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *ear) hear(data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, string(data))
}

// take returns what came since the last call.
func (e *ear) take() string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := strings.Join(e.heard, " ")
	e.heard = nil
	return heard
}

func inBubble(t *testing.T, f func(t *testing.T, b *Bus, from, to, other *ear)) {
	synctest.Test(t, func(t *testing.T) {
		b := New(1)
		from, to, other := b.ear(t, "from"), b.ear(t, "to", "x", "y"), b.ear(t, "other", "x")
		f(t, b, from, to, other)
		for _, e := range []*ear{from, to, other} {
			e.Close()
		}
	})
}

func (e *ear) say(t *testing.T, subject, text string) {
	t.Helper()
	if err := e.Publish(subject, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, e *ear, want string) {
	t.Helper()
	if got := e.take(); got != want {
		t.Errorf("%s heard %q, want %q", e.name, got, want)
	}
}

func TestOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Bus, from, to, other *ear) {
		b.Jitter(50 * time.Millisecond)
		var all, x []string
		for i := range 100 {
			subject := []string{"x", "y"}[i%2]
			from.say(t, subject, fmt.Sprint(i))
			all = append(all, fmt.Sprint(i))
			if i%2 == 0 {
				x = append(x, fmt.Sprint(i))
			}
		}
		time.Sleep(time.Second)
		expect(t, to, strings.Join(all, " "))
		expect(t, other, strings.Join(x, " "))
	})
}

func TestFaults(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Bus, from, to, other *ear) {
		b.Cut("from", "to")
		from.say(t, "x", "cut")
		expect(t, to, "")
		expect(t, other, "cut")
		b.Heal("to", "from")
		b.CutTo("to", "from")
		from.say(t, "x", "healed")
		expect(t, to, "healed")
		expect(t, other, "healed")

		b.DropIf(func(m Message) bool { return m.To == "other" && m.Subject == "x" && string(m.Data) == "no" })
		from.say(t, "x", "no")
		from.say(t, "x", "yes")
		expect(t, to, "no yes")
		expect(t, other, "yes")
		b.DropIf(nil)

		b.DropRate(1)
		from.say(t, "x", "lost")
		b.DropRate(0)
		expect(t, to, "")
		expect(t, other, "")
		if b.Dropped() != 4 {
			t.Errorf("%d messages were dropped, want 4", b.Dropped())
		}
	})
}

func TestDelayAndLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Bus, from, to, other *ear) {
		b.Delay("to", time.Second)
		b.SetLimit(2)
		for i := range 4 {
			from.say(t, "x", fmt.Sprint(i))
			synctest.Wait()
		}
		expect(t, other, "0 1 2 3")
		time.Sleep(time.Second - time.Nanosecond)
		expect(t, to, "")
		time.Sleep(time.Nanosecond)
		expect(t, to, "0 1")
	})
}

func TestStop(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Bus, from, to, other *ear) {
		b.Delay("to", time.Second)
		from.say(t, "x", "on its way")
		expect(t, other, "on its way")
		b.Stop()
		if err := from.Publish("x", nil); err != ErrStopped {
			t.Errorf("got %v", err)
		}
		b.Restart()
		from.say(t, "x", "again")
		time.Sleep(2 * time.Second)
		expect(t, to, "again")
	})
}

func TestStallAndClose(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Bus, from, to, other *ear) {
		b.SetMaxBytes(3)
		if from.MaxBytes() != 3 || from.Publish("x", []byte("long")) == nil {
			t.Error("a message that is too long is taken")
		}
		from.Stall(true)
		done := make(chan error, 2)
		go func() { done <- from.Publish("x", []byte("1")) }()
		synctest.Wait()
		if len(done) != 0 {
			t.Error("Publish does not block")
		}
		from.Stall(false)
		if err := <-done; err != nil {
			t.Error(err)
		}
		expect(t, to, "1")
		from.Stall(true)
		go func() { done <- from.Publish("x", []byte("2")) }()
		synctest.Wait()
		from.Close()
		if err := <-done; err != ErrClosed {
			t.Errorf("got %v", err)
		}
		if err := from.Listen("x", nil); err != ErrClosed {
			t.Errorf("got %v", err)
		}
		expect(t, to, "")
	})
}

// The same seed drops the same messages.
func TestSeed(t *testing.T) {
	run := func(seed uint64) (heard []string) {
		synctest.Test(t, func(t *testing.T) {
			b := New(seed)
			b.DropRate(0.5)
			from, to := b.ear(t, "from"), b.ear(t, "to", "x")
			for i := range 100 {
				from.say(t, "x", fmt.Sprint(i))
			}
			heard = strings.Fields(to.take())
			from.Close()
			to.Close()
		})
		return heard
	}
	if one := run(1); !slices.Equal(one, run(1)) || slices.Equal(one, run(2)) || len(one) < 20 || len(one) > 80 {
		t.Errorf("of 100 messages arrive %d", len(one))
	}
}
