package eventsocket_test

import (
	"errors"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

const busy = "calls-busy" // 15 events

// TestMangled sends every event, or every third, in a bad form. Those that can be read are read, and the others leave
// gaps. No connection is lost for it.
func TestMangled(t *testing.T) {
	tests := map[string]struct {
		faults switchsim.Faults
		change func(*eventsocket.Options)
		events int
		header map[string]string
		check  func(eventsocket.Stats) bool
	}{
		"split":             {faults: switchsim.Faults{Split: 7, Seed: 1}, events: 15},
		"split into bytes":  {faults: switchsim.Faults{Split: 1}, events: 15},
		"banner":            {faults: switchsim.Faults{Banner: "Welcome\nto: something\n\n\n\nelse\n\n"}, events: 15},
		"length -1":         {faults: switchsim.Faults{Mangle: switchsim.BadLength}, events: 15, check: func(s eventsocket.Stats) bool { return s.Malformed == 15 }},
		"length -1 split":   {faults: switchsim.Faults{Mangle: switchsim.BadLength, MangleEvery: 3, Split: 5}, events: 15},
		"inner length -1":   {faults: switchsim.Faults{Mangle: switchsim.BadInnerLength}, events: 15},
		"percent codes":     {faults: switchsim.Faults{Mangle: switchsim.BadPercent}, events: 15, header: map[string]string{"bad-percent": "100%%zz%4%"}},
		"Latin-1":           {faults: switchsim.Faults{Mangle: switchsim.Latin1}, events: 15, header: map[string]string{"Latin1-Coded": "Zoë Müller", "Latin1-Bytes": "Zoë Müller"}},
		"truncated":         {faults: switchsim.Faults{Mangle: switchsim.Truncate}, events: 15, check: func(s eventsocket.Stats) bool { return s.Truncated == 15 }},
		"10 MB header":      {faults: switchsim.Faults{Mangle: switchsim.HugeHeader(10 << 20), MangleEvery: 3}, events: 10, check: func(s eventsocket.Stats) bool { return s.TooLarge == 5 && s.Lost == 5 }},
		"10 MB in the head": {faults: switchsim.Faults{Mangle: switchsim.HugeHead(10 << 20), MangleEvery: 3}, events: 15},
		"many headers":      {change: func(o *eventsocket.Options) { o.MaxHeaders = 10 }, events: 0, check: func(s eventsocket.Stats) bool { return s.TooLarge == 15 }},
		"small events only": {change: func(o *eventsocket.Options) { o.MaxEvent = 100 }, events: 0, check: func(s eventsocket.Stats) bool { return s.TooLarge == 15 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := test.change
			if change == nil {
				change = func(*eventsocket.Options) {}
			}
			r := newRig(t, busy, test.faults, change)
			s := r.subscribe(calls()...)
			r.run()
			r.gap(s)
			r.play()
			// The reply comes after all events, so they have been delivered when it is here.
			if _, err := r.client.Do(r.ctx, eventsocket.API("version")); err != nil {
				t.Fatal(err)
			}
			events, lost := 0, 0
			for stats := r.client.Stats(); events+lost < int(stats.Events); {
				d := r.next(s)
				if lost += d.Lost; d.Kind != eventsocket.KindEvent {
					continue
				}
				events++
				for name, want := range test.header {
					if got := d.Event.Get(name); got != want {
						t.Errorf("%s is %q, want %q", name, got, want)
					}
				}
			}
			stats := r.client.Stats()
			if events != test.events || stats.Events != 15 {
				t.Errorf("%d events, want %d", events, test.events)
			}
			if stats.Connects != 1 || stats.Failures != 0 || test.check != nil && !test.check(stats) {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

// TestDrop has the switch vanish in the middle of an event. The client comes back with the same filters, and the
// subscription sees the end, a gap, and what came after.
func TestDrop(t *testing.T) {
	r := newRig(t, busy, switchsim.Faults{DropAt: 5})
	s := r.subscribe(calls()...)
	r.run()
	played := r.playing()
	r.gap(s)
	for range 4 {
		if d := r.next(s); d.Kind != eventsocket.KindEvent {
			t.Fatalf("got %s", show(d))
		}
	}
	first := r.next(s)
	if first.Kind == eventsocket.KindDown { // else the gap has replaced it before the test looked
		first = r.next(s)
	}
	if first.Kind != eventsocket.KindGap || first.Lost != 0 {
		t.Fatalf("got %s, want a gap", show(first))
	}
	for range 10 {
		if d := r.next(s); d.Kind != eventsocket.KindEvent {
			t.Fatalf("got %s", show(d))
		}
	}
	if err := <-played; err != nil {
		t.Fatal(err)
	}
	texts := map[int][]string{}
	for _, command := range r.sim.Commands() {
		texts[command.Conn] = append(texts[command.Conn], command.Text)
	}
	if len(texts) != 2 || len(texts[1]) != 13 {
		t.Fatalf("commands %v", texts)
	}
	for i := range texts[1] {
		if texts[1][i] != texts[2][i] {
			t.Errorf("second connection sent %q, the first %q", texts[2][i], texts[1][i])
		}
	}
}

// TestStall has the switch stop in the middle of an event.
func TestStall(t *testing.T) {
	failed := make(chan error, 100)
	r := newRig(t, busy, switchsim.Faults{StallAt: 5}, func(o *eventsocket.Options) {
		o.StallTimeout = 20 * time.Millisecond
		o.Changed = func(connected bool, err error) {
			if !connected {
				failed <- err
			}
		}
	})
	s := r.subscribe(calls()...)
	r.run()
	r.play()
	if err := <-failed; err == nil {
		t.Fatal("no error")
	}
	for {
		if d := r.next(s); d.Kind == eventsocket.KindGap && r.client.Stats().Connects >= 2 {
			return
		}
	}
}

// TestRefused gives the reason, counts it, and waits the longest pause.
func TestRefused(t *testing.T) {
	for want, faults := range map[error]switchsim.Faults{
		eventsocket.ErrPassword: {RefuseAuth: true}, eventsocket.ErrRejected: {Reject: true},
	} {
		t.Run(want.Error(), func(t *testing.T) {
			clock := clocktest.New()
			failed := make(chan error, 1)
			r := newRig(t, busy, faults, func(o *eventsocket.Options) {
				o.Clock, o.MinBackoff, o.MaxBackoff = clock, time.Second, 4*time.Second
				o.Random = func() float64 { return 0.5 }
				o.Changed = func(_ bool, err error) { failed <- err }
			})
			r.run()
			if err := <-failed; !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
			if s := r.client.Stats(); s.Refused != 1 || s.Connected || s.Connects != 0 {
				t.Errorf("stats %+v", s)
			}
			if _, err := r.client.Do(r.ctx, eventsocket.API("version")); !errors.Is(err, eventsocket.ErrNotConnected) {
				t.Errorf("command: %v", err)
			}
			clock.AwaitTimer(t, 3*time.Second) // three quarters of the longest pause
		})
	}
}

// TestSilence asks a silent switch whether it is there, and leaves one that does not answer.
func TestSilence(t *testing.T) {
	probe := func(o *eventsocket.Options) { o.ProbeAfter = 20 * time.Millisecond }
	t.Run("answers", func(t *testing.T) {
		r := newRig(t, busy, switchsim.Faults{}, probe)
		r.run()
		probes := func(commands []switchsim.Command) bool {
			n := 0
			for _, c := range commands {
				if c.Text == "api uptime" {
					n++
				}
			}
			return n >= 2
		}
		if err := r.sim.Await(r.ctx, probes); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("does not answer", func(t *testing.T) {
		failed := make(chan error, 100)
		r := newRig(t, busy, switchsim.Faults{Mute: true}, probe, func(o *eventsocket.Options) {
			o.Changed = func(connected bool, err error) {
				if !connected {
					failed <- err
				}
			}
		})
		r.run()
		if err := <-failed; err == nil {
			t.Fatal("no error")
		}
	})
}

// TestSlow has a subscription that nobody reads beside one that is read, in a flood. The switch's connection stays,
// the reader misses nothing, and the slow one gets a gap with the number of lost events.
func TestSlow(t *testing.T) {
	const count = 3000
	r := newRig(t, busy, switchsim.Faults{}, func(o *eventsocket.Options) { o.QueueEvents = 500 })
	slow := r.subscribe(calls()...)
	r.run()
	r.gap(slow)
	flooded := make(chan error, 1)
	go func() { flooded <- r.sim.Flood(r.ctx, count, 0) }()
	if err := <-flooded; err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Do(r.ctx, eventsocket.API("version")); err != nil {
		t.Fatal(err)
	}
	d := r.gap(slow)
	left := drain(slow)
	if d.Lost == 0 || d.Lost+left != count || slow.Lost() != uint64(d.Lost) {
		t.Errorf("%d lost and %d left of %d", d.Lost, left, count)
	}
	if s := r.client.Stats(); s.Connects != 1 || s.Failures != 0 || s.Events != count || s.Lost != uint64(d.Lost) {
		t.Errorf("stats %+v", s)
	}
}
