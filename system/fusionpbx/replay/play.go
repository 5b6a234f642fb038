package replay

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// Switch is what a service gets to reach the switch.
type Switch struct {
	// Events has the subscriptions, Commands the commands: a slow command delays the events of its connection.
	Events, Commands *eventsocket.Client
}

// Options say how a scenario is played.
type Options struct {
	// After is how long the scenario goes on after its last line. Zero means 2 s.
	After time.Duration
	// Faults say how the switch misbehaves.
	Faults switchsim.Faults
	// QueueEvents is how many events may wait for the service. Zero means the default of the event socket.
	QueueEvents int
	// Log, unless nil, gets what the connections to the switch log.
	Log *slog.Logger
}

// settled is how long after the start of the service the switch begins.
const settled = 3 * time.Second

// Result is what a service did in a scenario.
type Result struct {
	Scenario *Scenario
	Service  *service.Service
	// Said are the messages of the service, in order.
	Said []Message
	// Commands are those that reached the switch, in order, without those that every client of an event socket
	// sends: auth, event, filter and probes.
	Commands []string
	// Logins is how often the two connections were made.
	Logins int

	start time.Time
}

// Play plays the scenario to the service that build returns. It calls build and all of the service in a bubble of
// testing/synctest, in which the clock begins at the start of the recording and moves only when everything waits.
func Play(t *testing.T, s *Scenario, o Options, build func(Switch) *service.Service) *Result {
	t.Helper()
	r := &Result{Scenario: s}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(s.Start) - settled)
		sim := switchsim.New(s.Recording, switchsim.Options{Speed: 1, Faults: o.Faults})
		sw, stopSwitch := connect(t, sim, o)
		r.Service = build(sw)
		h, stopHome := startHome(t, r.Service)
		time.Sleep(settled)
		r.feed(t, sim, h, o)
		stopHome()
		stopSwitch()
		sim.Close()
		r.collect(t, sim, h)
	})
	return r
}

// connect runs two clients of the simulator until stop is called.
func connect(t *testing.T, sim *switchsim.Simulator, o Options) (sw Switch, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	run := func(jobs bool) *eventsocket.Client {
		client, err := eventsocket.New(eventsocket.Options{Password: "ClueCon", Dial: sim.Dial, Jobs: jobs, QueueEvents: o.QueueEvents, Log: o.Log, Random: func() float64 { return 0 }})
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- client.Run(ctx) }()
		return client
	}
	sw = Switch{Events: run(false), Commands: run(true)}
	return sw, func() {
		cancel()
		for range cap(ended) {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("event socket: %v", err)
			}
		}
	}
}

// feed plays the switch, and asks what was asked, each half a millisecond after the events of that moment.
func (r *Result) feed(t *testing.T, sim *switchsim.Simulator, h *home, o Options) {
	t.Helper()
	start, played := time.Now(), make(chan error, 1)
	r.start = start
	ctx, cancel := context.WithCancel(context.Background())
	go func() { played <- sim.Play(ctx) }()
	end := time.Duration(0)
	for _, l := range r.Scenario.Lines {
		end = max(end, l.At)
		if l.Service != r.Service.Name || l.Client == "" {
			continue
		}
		time.Sleep(time.Until(start.Add(l.At + time.Millisecond/2)))
		synctest.Wait()
		h.ask(l, r.Scenario.Clients[l.Client])
	}
	for _, e := range r.Scenario.Recording.Events {
		end = max(end, e.At)
	}
	if o.After == 0 {
		o.After = 2 * time.Second
	}
	time.Sleep(time.Until(start.Add(end + o.After)))
	synctest.Wait()
	cancel()
	if err := <-played; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("play: %v", err)
	}
}

func (r *Result) collect(t *testing.T, sim *switchsim.Simulator, h *home) {
	t.Helper()
	for _, s := range h.said {
		m, err := newMessage(s.text)
		if err != nil {
			t.Fatal(err)
		}
		m.At = s.at.Sub(r.start)
		r.Said = append(r.Said, m)
	}
	for _, c := range sim.Commands() {
		if c.Text == "auth" {
			r.Logins++
		}
		if verb, _, _ := strings.Cut(c.Text, " "); c.Text != "api uptime" && verb != "auth" && verb != "event" && verb != "filter" {
			r.Commands = append(r.Commands, c.Text)
		}
	}
}
