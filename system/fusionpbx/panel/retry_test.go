package panel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestManyRefused refuses the conferences and the registrations to many pages. The service needs no timer for each of them,
// and the switch is not asked once more for each of them.
func TestManyRefused(t *testing.T) {
	const pages, timers = 200, 20
	tests := map[string]struct {
		topic, command string
		events         []sent
		status         string
	}{
		"conferences, no switch":   {"conferences_active", listRooms, []sent{{at: 2 * time.Second, refuse: time.Minute}}, "503"},
		"conferences, no list":     {"conferences_active", listRooms, nil, "503"},
		"registrations, no switch": {"extensions_active", showRegistrations, []sent{{at: 2 * time.Second, refuse: time.Minute}}, "200"},
		"registrations, no list":   {"extensions_active", showRegistrations, nil, "200"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			s := madeUp(t, test.events...)
			for i := range pages {
				s.Ask(t, 3*time.Second+time.Duration(i)*103*time.Millisecond, "operator", Name, test.topic, map[string]any{})
			}
			x := &exchange{answer: func(command string, _ int) (string, bool) { return "-ERR no reply\n", command == test.command }}
			r := playOnce(t, s, x, timers)
			answers := map[string]int{}
			for _, m := range r.Said {
				if !m.IsPush() {
					answers[m.Field("status_code")]++
				}
			}
			if len(answers) != 1 || answers[test.status] != pages {
				t.Errorf("answers by status: %v, want %d with %s", answers, pages, test.status)
			}
			if asked := times(r.Commands, test.command); asked > pages+15 {
				t.Errorf("the switch was asked %d times for %d pages", asked, pages)
			}
		})
	}
}

// playOnce plays a scenario to a service that may set so many timers. It is an error if the service begins anew.
func playOnce(t *testing.T, s *replay.Scenario, x *exchange, timers int) *replay.Result {
	t.Helper()
	db, lives := newSite(t), 0
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second, Faults: x.faults()}, func(sw replay.Switch) *service.Service {
		built := New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
		built.Limits.Timers = timers
		setup := built.Setup
		built.Setup = func(s service.Setup) error {
			lives++
			return setup(s)
		}
		return built
	})
	if lives != 1 {
		t.Errorf("the service began %d times", lives)
	}
	return r
}

// TestManyDomains has the operators of many domains ask for parked calls and agents at once, and events of the call center.
// The service needs no timer for each domain.
func TestManyDomains(t *testing.T) {
	const domains, timers = 100, 20
	s := madeUp(t,
		told(2*time.Second, "Event-Name: CUSTOM", "Event-Subclass: callcenter::info"),
		told(3*time.Second, "Event-Name: CUSTOM", "Event-Subclass: callcenter::info"))
	var ids []string
	for i := range domains {
		operator := s.Clients["operator"]
		operator.Domain = fmt.Sprintf("d%d.example.com", i)
		s.Clients[operator.Domain] = operator
		for _, topic := range []string{"parked_active", "agents_active"} {
			ids = append(ids, s.Ask(t, time.Second, operator.Domain, Name, topic, map[string]any{}))
		}
	}
	r := playOnce(t, s, new(exchange), timers)
	for _, id := range ids {
		if replies := r.Replies(id); len(replies) != 1 || replies[0].Field("status_code") != "200" {
			t.Fatalf("answers %+v", replies)
		}
	}
}

// TestGrowingPauses has a switch that answers with no list for an hour. It is asked once a minute in the end.
func TestGrowingPauses(t *testing.T) {
	for _, list := range []string{listRooms, showRegistrations} {
		t.Run(list, func(t *testing.T) {
			x := &exchange{answer: func(command string, _ int) (string, bool) { return "-ERR no reply\n", command == list }}
			r := x.on(t, madeUp(t), time.Hour, nil)
			if asked := times(r.Commands, list); asked < 65 || asked > 75 {
				t.Errorf("the switch was asked %d times in an hour", asked)
			}
		})
	}
}

// times returns how often a command was sent.
func times(commands []string, command string) int {
	n := 0
	for _, c := range commands {
		if strings.TrimPrefix(c, "api ") == command {
			n++
		}
	}
	return n
}

// TestOneWarning has the same failure many times. The log says so once in a row of failures, and never that there is no
// connection, which it says elsewhere.
func TestOneWarning(t *testing.T) {
	var r retry
	other := errors.New("no list")
	for i, test := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("ask: %w", eventsocket.ErrNotConnected), false}, {eventsocket.ErrDisconnected, true}, {eventsocket.ErrDisconnected, false},
		{other, false}, {nil, false}, {other, true}, {other, false},
	} {
		if test.err == nil {
			r.succeeded()
			continue
		}
		if got := r.isNews(test.err); got != test.want {
			t.Errorf("failure %d is news: %t", i, got)
		}
	}
}
