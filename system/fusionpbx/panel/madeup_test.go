package panel

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// sent is an event of a scenario that a test makes up. Without headers it is a cut of all connections, after which new ones
// are refused for a while.
type sent struct {
	at      time.Duration
	headers []string // as "Name: value"
	half    bool     // the second half of it is not sent
	refuse  time.Duration
}

func told(at time.Duration, headers ...string) sent { return sent{at: at, headers: headers} }

func cut(at time.Duration) sent { return sent{at: at} }

func register(at time.Duration, extension string) sent {
	return told(at, "Event-Name: CUSTOM", "Event-Subclass: sofia::register", "from-user: "+extension, "realm: a.example.com")
}

func unregister(at time.Duration, extension string) sent {
	return told(at, "Event-Name: CUSTOM", "Event-Subclass: sofia::unregister", "from-user: "+extension, "realm: a.example.com")
}

// inRoom is an event of the conference 3001@a.example.com, unless more says otherwise.
func inRoom(at time.Duration, action string, more ...string) sent {
	return told(at, append([]string{"Event-Name: CUSTOM", "Event-Subclass: conference::maintenance", "Conference-Name: 3001@a.example.com",
		"Conference-Size: 1", "Action: " + action}, more...)...)
}

// madeUp returns a scenario with the clients of the recordings and no requests.
func madeUp(t *testing.T, events ...sent) *replay.Scenario {
	t.Helper()
	s := replay.Load(t, testdata, "panel-call")
	s.Lines = nil
	var lines []string
	for _, e := range events {
		line := map[string]any{"t": e.at.Milliseconds(), "conn": "all", "close_ms": max(1, e.refuse.Milliseconds())}
		if e.headers != nil {
			body := strings.Join(e.headers, "\n") + "\n\n"
			raw := fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
			if e.half {
				raw = raw[:len(raw)-20]
			}
			line = map[string]any{"t": e.at.Milliseconds(), "from": "switch", "conn": "events", "data": recorded(raw)}
		}
		lines = append(lines, text(t, line))
	}
	var err error
	s.Recording, err = switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: []byte(strings.Join(lines, "\n"))}}, "x")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recorded returns a message in the form in which switchsim keeps bytes that are no UTF-8.
func recorded(raw string) string {
	var b strings.Builder
	for i, r := range raw {
		if r == utf8.RuneError && raw[i] >= utf8.RuneSelf && !strings.HasPrefix(raw[i:], "\ufffd") {
			r = 0xf700 + rune(raw[i])
		}
		b.WriteRune(r)
	}
	return b.String()
}

// exchange is a switch of a test: it answers commands with what the test says, by how often they came.
type exchange struct {
	answer func(command string, n int) (string, bool) // n counts from 1; nil: nothing
	delay  func(command string, n int) time.Duration  // nil: none

	mu    sync.Mutex // Protects following.
	count map[string]int
}

func (x *exchange) faults() switchsim.Faults {
	x.count = map[string]int{}
	return switchsim.Faults{
		Answer: func(command string) (string, bool) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.count[command]++
			if x.answer == nil {
				return "", false
			}
			return x.answer(command, x.count[command])
		},
		Delay: func(command string) time.Duration {
			x.mu.Lock()
			defer x.mu.Unlock()
			if x.delay == nil {
				return 0
			}
			return x.delay(command, x.count[command])
		},
	}
}

// on plays a scenario on the exchange. more, unless nil, changes the service's options.
func (x *exchange) on(t *testing.T, s *replay.Scenario, after time.Duration, more func(*Options)) *replay.Result {
	t.Helper()
	db := newSite(t)
	return replay.Play(t, s, replay.Options{After: after, Faults: x.faults()}, func(sw replay.Switch) *service.Service {
		o := Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1}
		if more != nil {
			more(&o)
		}
		return New(o)
	})
}

// pushes returns the values of the keys in the pushes with the topics, in order.
func pushes(r *replay.Result, topics string, keys ...string) []string {
	var found []string
	for _, m := range r.Said {
		if !m.IsPush() || !strings.Contains(" "+topics+" ", " "+m.Topic+" ") {
			continue
		}
		words := []string{m.Topic}
		for _, key := range keys {
			words = append(words, strings.Trim(m.Get(key), `"`))
		}
		found = append(found, strings.Join(words, " "))
	}
	return found
}

const showRegistrations = "show registrations as json"

// listOf is the switch's list of registrations of a.example.com.
func listOf(extensions ...string) string {
	rows := make([]string, len(extensions))
	for i, extension := range extensions {
		rows[i] = fmt.Sprintf(`{"reg_user":%q,"realm":"a.example.com"}`, extension)
	}
	return fmt.Sprintf(`{"row_count":%d,"rows":[%s]}`, len(rows), strings.Join(rows, ","))
}
