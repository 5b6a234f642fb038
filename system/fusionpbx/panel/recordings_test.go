package panel

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

const isRecorded = "<media-bugs>\n <media-bug>\n  <function>session_record</function>\n </media-bug>\n</media-bugs>\n"

// manyCalls returns a scenario with that many calls of a.example.com, and their UUIDs.
func manyCalls(t *testing.T, n int) (s *replay.Scenario, uuids []string) {
	t.Helper()
	var events []sent
	for i := range n {
		uuids = append(uuids, fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i))
		events = append(events, told(10*time.Millisecond, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+uuids[i], "Caller-Context: a.example.com"))
	}
	return madeUp(t, events...), uuids
}

// TestOldRecordingState has the switch asked whether a call is recorded while an operator begins or ends that. The answer
// is not kept.
func TestOldRecordingState(t *testing.T) {
	for _, delay := range []time.Duration{10 * time.Millisecond, 300 * time.Millisecond} { // of uuid_record, which ends before or after the question
		t.Run(delay.String(), func(t *testing.T) {
			x := &exchange{
				answer: func(command string, n int) (string, bool) {
					if n > 1 {
						return isRecorded, strings.HasPrefix(command, "uuid_buglist")
					}
					return "<media-bugs>\n</media-bugs>\n", strings.HasPrefix(command, "uuid_buglist")
				},
				delay: func(command string, n int) time.Duration {
					switch {
					case strings.HasPrefix(command, "uuid_buglist") && n == 1:
						return 100 * time.Millisecond
					case strings.HasPrefix(command, "uuid_record"):
						return delay
					}
					return 0
				},
			}
			s, uuids := manyCalls(t, 1)
			at := func(at time.Duration, action string) string {
				return s.Ask(t, at, "operator", Name, "action", map[string]any{"action": action, "uuid": uuids[0], "uuids": uuids})
			}
			begin, ask := 1000*time.Millisecond, 1050*time.Millisecond
			if delay < 100*time.Millisecond {
				begin, ask = ask, begin
			}
			at(begin, "record")
			at(ask, "recording_state")
			id := at(1600*time.Millisecond, "recording_state")
			r := x.on(t, s, 5*time.Second, nil)
			if got := string(r.Replies(id)[0].Payload); !strings.Contains(got, uuids[0]+`":true`) {
				t.Errorf("half a second after the recording began the answer is %s", got)
			}
		})
	}
}

// TestManyRecordings has more calls than the switch is asked about at once. In the end it is asked about all of them.
func TestManyRecordings(t *testing.T) {
	const calls, most = 50, 20
	x := &exchange{answer: func(command string, _ int) (string, bool) {
		return isRecorded, strings.HasPrefix(command, "uuid_buglist")
	}}
	s, uuids := manyCalls(t, calls)
	var ids []string
	for i := range 3 {
		ids = append(ids, s.Ask(t, time.Duration(i+1)*2*time.Second, "operator", Name, "action", map[string]any{"action": "recording_state", "uuids": uuids}))
	}
	counts := new(Counts)
	r := x.on(t, s, 5*time.Second, func(o *Options) { o.RecordingQuestions, o.Counts = most, counts })
	for i, id := range ids {
		if got, want := strings.Count(string(r.Replies(id)[0].Payload), ":true"), min(calls, most*(i+1)); got != want+1 { // success is true too
			t.Errorf("answer %d has %d calls, want %d", i, got-1, want)
		}
	}
	asked := 0
	for _, c := range r.Commands {
		if strings.HasPrefix(c, "api uuid_buglist") {
			asked++
		}
	}
	if asked != 3*most || counts.Unasked() != 3*(calls-most) {
		t.Errorf("%d commands, %d calls were left out; want %d, %d", asked, counts.Unasked(), 3*most, 3*(calls-most))
	}
}

// TestSlowRecordings has a switch that answers slowly. The operator waits for Timeout at most, and is told what the
// switch has answered until then; with no answer at all the request has failed.
func TestSlowRecordings(t *testing.T) {
	tests := map[string]struct {
		each   time.Duration
		want   int // calls
		status string
	}{
		"slow": {150 * time.Millisecond, 6, "200"},
		"dead": {time.Minute, 0, "504"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := &exchange{
				answer: func(command string, _ int) (string, bool) {
					return isRecorded, strings.HasPrefix(command, "uuid_buglist")
				},
				delay: func(command string, _ int) time.Duration {
					if strings.HasPrefix(command, "uuid_buglist") {
						return test.each
					}
					return 0
				},
			}
			s, uuids := manyCalls(t, 50)
			id := s.Ask(t, time.Second, "operator", Name, "action", map[string]any{"action": "recording_state", "uuids": uuids})
			counts := new(Counts)
			r := x.on(t, s, 5*time.Second, func(o *Options) { o.Timeout, o.Counts = time.Second, counts })
			m := r.Replies(id)[0]
			if got := strings.Count(string(m.Payload), `":true`) - strings.Count(string(m.Payload), `"success":true`); got != test.want || m.Field("status_code") != test.status {
				t.Errorf("status %s, %d calls, want %s, %d", m.Field("status_code"), got, test.status, test.want)
			}
			if m.At > 2100*time.Millisecond {
				t.Errorf("answered at %s", m.At)
			}
			if test.want > 0 && counts.Unasked() != int64(50-test.want) {
				t.Errorf("%d calls were left out", counts.Unasked())
			}
		})
	}
}
