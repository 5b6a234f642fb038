package link

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestLink connects twice, counts what happens, and ends both connections.
func TestLink(t *testing.T) {
	recording, err := switchsim.Load(os.DirFS("../../../testdata/fusionpbx/corpus"), "calls-busy")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim := switchsim.New(recording, switchsim.Options{})
		defer sim.Close()
		l, err := New(eventsocket.Options{Password: "ClueCon", Dial: sim.Dial})
		if err != nil {
			t.Fatal(err)
		}
		l.Stop() // there is nothing to stop
		subscription, err := l.Events.Subscribe("test", eventsocket.Match("Event-Name", "CHANNEL_CREATE"))
		if err != nil {
			t.Fatal(err)
		}
		l.Start()
		synctest.Wait()
		if err := sim.Play(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 { // the gap and two channels
			if _, err := subscription.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Commands.Background(t.Context(), eventsocket.BGAPI("status")); err != nil {
			t.Fatal(err)
		}
		if s := l.Stats(); !s.Connected || s.Connects != 2 || s.Failures != 0 || s.Events < 3 || s.Replies < 3 {
			t.Errorf("stats %+v", s)
		}
		l.Stop()
		if s := l.Stats(); s.Connected {
			t.Error("still connected")
		}
	})
}

// TestPanic wants a client that panics to run again.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(eventsocket.Options{Password: "ClueCon"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		runs, start := 0, time.Now()
		l.keep(ctx, func(context.Context) error {
			switch runs++; runs {
			case 1:
				panic("at first")
			case 2:
				return errors.New("no reason")
			default:
				cancel()
				return ctx.Err()
			}
		})
		if runs != 3 || time.Since(start) != 2*pause {
			t.Errorf("%d runs in %s", runs, time.Since(start))
		}
	})
}

func TestPassword(t *testing.T) {
	if _, err := New(eventsocket.Options{Password: "a\nb"}); err == nil {
		t.Error("no error")
	}
}
