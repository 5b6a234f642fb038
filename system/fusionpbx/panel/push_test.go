package panel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestQueueAndExpire has events that FusionPBX's service does not listen to: those of the call center cause statistics,
// and a registration that expired is gone.
func TestQueueAndExpire(t *testing.T) {
	s := replay.Load(t, testdata, "extra-callcenter-expire")
	for _, client := range []string{"operator", "adminb"} {
		s.Ask(t, 100*time.Millisecond, client, Name, "agents_active", map[string]any{})
	}
	db := newSite(t)
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
	})
	var registrations []string
	for _, m := range r.Said {
		if m.Topic == topicRegistration {
			registrations = append(registrations, m.Get("extension")+" "+m.Get("registered"))
		}
	}
	// The request, and events at 1.1, 2.2 (then told at 3.1), 4.6 (at 5.1), 7.6 and 8.1 s (at 9.6).
	asked := 0
	for _, c := range r.Commands {
		if c == "api callcenter_config queue list agents 5001@a.example.com" {
			asked++
		}
	}
	if asked != 6 {
		t.Errorf("the agents were asked for %d times, want 6", asked)
	}
	if want := []string{`"1010" true`, `"1010" true`, `"1010" false`, `"1010" false`}; !slices.Equal(registrations, want) {
		t.Errorf("registrations %q, want %q", registrations, want)
	}
}

// TestPollsAreShared has many operators ask for the same, as their pages do: the switch is asked once.
func TestPollsAreShared(t *testing.T) {
	var requests []asked
	for n := range 200 {
		at := talking + time.Duration(n)*time.Millisecond
		for _, topic := range []string{"parked_active", "agents_active", "extensions_active"} {
			requests = append(requests, asked{at: at, client: "operator", topic: topic, payload: map[string]any{}})
		}
		recording, registered := do("operator", "recording_state", "uuids", []string{callA, callB}), do("operator", "registrations_state")
		recording.at, registered.at = at, at
		requests = append(requests, recording, registered)
	}
	s := replay.Load(t, testdata, "panel-call")
	s.Lines = nil
	for _, a := range requests {
		topic := a.topic
		if topic == "" {
			topic = "action"
		}
		s.Ask(t, a.at, a.client, Name, topic, a.payload)
	}
	db := newSite(t)
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
	})
	counts := map[string]int{}
	for _, c := range r.Commands {
		counts[c]++
	}
	for command, n := range counts {
		if n > 3 {
			t.Errorf("%d times %s", n, command)
		}
	}
	for _, command := range []string{"api uuid_buglist " + callA, "api valet_info park@a.example.com", "api callcenter_config queue list agents 5001@a.example.com"} {
		if counts[command] != 1 {
			t.Errorf("%d times %s, want once", counts[command], command)
		}
	}
	answers := 0
	for _, m := range r.Said {
		if !m.IsPush() {
			answers++
		}
	}
	if answers != len(requests) {
		t.Errorf("%d answers to %d requests", answers, len(requests))
	}
}

// TestSlowAnswers has a database that hangs. Pushes come all the same, in order.
func TestSlowAnswers(t *testing.T) {
	s := record(t, "conf-three")
	normal := playWith(t, s, func(string) {}, func(string) {})
	db := &slow{newSite(t)}
	twin := *s
	r := replay.Play(t, &twin, replay.Options{After: 20 * time.Second}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, Timeout: 2 * time.Second})
	})
	topics := func(said []replay.Message) string {
		var list []string
		for _, m := range said {
			if m.IsPush() {
				list = append(list, m.Topic+" "+m.Get("unique_id"))
			}
		}
		return strings.Join(list, "\n")
	}
	if got, want := topics(r.Said), topics(normal.Said); got != want {
		t.Errorf("pushes are\n%s\nwant\n%s", got, want)
	}
	last := s.Recording.Events[len(s.Recording.Events)-1].At
	for _, m := range r.Said {
		if m.IsPush() && m.At > last+time.Second {
			t.Errorf("%s came at %s, long after the last event", m.Topic, m.At)
		}
	}
}

// slow is a site that answers what conferences are called only when the caller gives up.
type slow struct{ *site }

func (s *slow) Conference(ctx context.Context, key, _ string) (database.Conference, error) {
	<-ctx.Done()
	return database.Conference{Name: key}, fmt.Errorf("query: %w", ctx.Err())
}
