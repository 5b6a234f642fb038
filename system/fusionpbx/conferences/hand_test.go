package conferences

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestHandStays mutes a member whose hand cannot be lowered, because the switch does not answer what is asked for that. The
// member is muted, and the answer says so at once.
func TestHandStays(t *testing.T) {
	const member = "8e501f55-1ed3-46b2-aed0-b56c3c760ed1"
	for name, slow := range map[string]string{"the switch does not lower it": "uuid_setvar", "the switch does not say whose it is": "json_list"} {
		t.Run(name, func(t *testing.T) {
			s := replay.Load(t, testdata, "conf-same-extension")
			s.Lines = nil
			uuid := member
			if slow == "json_list" {
				uuid = strings.Replace(member, "8", "9", 1) // nobody's as far as events have said
			}
			const at = 2900 * time.Millisecond
			id := s.Ask(t, at, "admin", Name, "action",
				map[string]any{"action": "mute", "conference_name": roomA, "member_id": 28, "uuid": uuid})
			var muted atomic.Bool
			o := replay.Options{After: 20 * time.Second}
			o.Faults.Delay = func(command string) time.Duration {
				if strings.Contains(command, " mute ") {
					muted.Store(true)
				}
				if muted.Load() && strings.Contains(command, slow) {
					return 15 * time.Second
				}
				return 0
			}
			answers := replay.Play(t, s, o, plain).Replies(id)
			if len(answers) != 1 || answers[0].At > at+time.Second || answers[0].Field("status_code") != "200" || !strings.Contains(string(answers[0].Payload), `"success":true`) {
				t.Errorf("answers %+v, want success", answers)
			}
		})
	}
}
