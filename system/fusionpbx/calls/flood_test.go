package calls

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestFlood has the service take three seconds for each event, while the switch sends many and few may wait. The
// connections stay, the log names the setting, and pages are right in the end.
func TestFlood(t *testing.T) {
	for _, name := range scenarios() {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := load(t, name)
			o := replay.Options{After: 10 * time.Minute, QueueEvents: 3, Log: slog.New(slog.NewTextHandler(&log, nil))}
			r := replay.Play(t, s, o, func(sw replay.Switch) *service.Service {
				slow := New(Options{Events: sw.Events, Commands: sw.Commands, before: func(string) { time.Sleep(3 * time.Second) }})
				slow.Limits.Events = 1
				return slow
			})
			wantPage(t, r, historyOf(t, s.Recording), time.Hour)
			if r.Logins != 2 {
				t.Errorf("the two connections were made %d times in all", r.Logins)
			}
			if text := log.String(); !strings.Contains(text, "subscription="+Name) || !strings.Contains(text, "setting=switch.queue_events") || !strings.Contains(text, "lost=4") {
				t.Errorf("log\n%s", text)
			}
		})
	}
}
