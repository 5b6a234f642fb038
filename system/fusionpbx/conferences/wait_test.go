package conferences

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// asleep is a database that does not answer.
type asleep struct{}

func (asleep) CachedConference(string, string) (database.Conference, bool) {
	return database.Conference{}, false
}

func (asleep) Conference(ctx context.Context, key, _ string) (database.Conference, error) {
	<-ctx.Done()
	return database.Conference{Name: key}, ctx.Err()
}

// TestPushQueue has a conference whose name the database does not tell, and more and more messages after it. It waits for
// as long as the settings say, unless more messages wait than may.
func TestPushQueue(t *testing.T) {
	const wait, queue = 3 * time.Second, 4
	tests := map[string]struct {
		after   int // messages after the first
		atLeast time.Duration
		atMost  time.Duration
	}{
		"alone":        {0, wait, wait + 100*time.Millisecond},
		"at the limit": {queue - 1, wait, wait + 100*time.Millisecond},
		"one above":    {queue, 0, time.Second},
		"far above":    {3 * queue, 0, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := replay.Load(t, testdata, "conf-none")
			s.Lines = nil
			text := jsonText(t, map[string]any{"t": 0, "from": "switch", "conn": "events", "data": about("conference-create", 0)})
			for i := range test.after {
				text += "\n" + jsonText(t, map[string]any{"t": 10 * (i + 1), "from": "switch", "conn": "events", "data": about("energy-level", i+1)})
			}
			var err error
			if s.Recording, err = switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: []byte(text)}}, "x"); err != nil {
				t.Fatal(err)
			}
			hurried := new(atomic.Int64)
			r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, Database: asleep{}, PushWait: wait, PushQueue: queue, Hurried: hurried})
			})
			if len(r.Said) != test.after+1 || r.Said[0].Topic != "conference_create" {
				t.Fatalf("%d messages, want %d", len(r.Said), test.after+1)
			}
			for _, m := range r.Said {
				if m.At < test.atLeast || m.At > test.atMost {
					t.Errorf("%s at %s, want it between %s and %s", m.Topic, m.At, test.atLeast, test.atMost)
				}
			}
			if got := r.Said[0].Get("conference_display_name"); got != `"3001"` {
				t.Errorf("the conference is shown as %s", got)
			}
			if n := hurried.Load(); n != 1 {
				t.Errorf("%d messages were counted, want 1", n)
			}
		})
	}
}

// about returns an event of the conference 3001.
func about(action string, member int) string {
	body := fmt.Sprintf("Event-Name: CUSTOM\nEvent-Subclass: conference::maintenance\nConference-Name: %s\nMember-ID: %d\nAction: %s\n\n", roomA, member, action)
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
}
