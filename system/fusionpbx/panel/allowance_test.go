package panel

import (
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestTooManyCalls has an operator begin calls by every action that can. What is too much is answered with 429 and not
// sent; other operators go on, and so does the same one a while later.
func TestTooManyCalls(t *testing.T) {
	actions := []asked{
		do("coach", "originate", "source", "1002", "destination", "9666"),
		do("coach", "eavesdrop", "uuid", callA, "destination", "1005"),
		do("coach", "whisper", "uuid", callA, "destination", "1005"),
		do("coach", "barge", "uuid", callA, "destination", "1005"),
		do("coach", "transfer_attended", "uuid", callA, "destination", "1005"),
		do("coach", "transfer_attended_cancel", "parked_uuid", callA, "source_extension", "1002"),
	}
	for _, a := range actions {
		t.Run(a.payload["action"].(string), func(t *testing.T) {
			s := replay.Load(t, testdata, "panel-call")
			s.Lines = nil
			ask := func(at time.Duration, a asked) string { return s.Ask(t, at, a.client, Name, "action", a.payload) }
			wrong := do("coach", "originate", "source", "1002", "destination", "1002")
			ask(talking, wrong) // counts for nothing
			want := map[string]string{ask(talking, a): "200", ask(talking, a): "200", ask(talking, a): "429", ask(talking, a): "429",
				ask(talking, do("coach", "transfer", "uuid", callB, "destination", "1005")): "200"}
			want[ask(talking, do("operator", "originate", "source", "1002", "destination", "9666"))] = "200"
			again := do("coach", "originate", "source", "1002", "destination", "9666") // the call has ended by then
			want[ask(talking+31*time.Second, again)] = "200"
			want[ask(talking+32*time.Second, again)] = "429"
			counts := new(Counts)
			r := (&exchange{}).on(t, s, 10*time.Second, func(o *Options) { o.CallsPerMinute, o.Counts = 2, counts })
			for id, status := range want {
				if replies := r.Replies(id); len(replies) != 1 || replies[0].Field("status_code") != status ||
					status == "429" && !strings.Contains(string(replies[0].Payload), `"success":false,"message":"Too many calls: at most 2 a minute"`) {
					t.Errorf("answers %+v, want %s", replies, status)
				}
			}
			if counts.Refused() != 3 {
				t.Errorf("%d were refused, want 3", counts.Refused())
			}
		})
	}
}

// TestAllowance wants operators to be forgotten who have begun no call for a while.
func TestAllowance(t *testing.T) {
	a, now := newAllowance(3), time.Unix(1e9, 0)
	for range 1000 {
		for _, who := range []operator{{"a.example.com", "u"}, {"b.example.com", "u"}} {
			for n := range 5 {
				if ok, first := a.take(who, now); ok != (n < 3) || first != (n == 3) {
					t.Fatalf("call %d of %v: %t, %t", n, who, ok, first)
				}
			}
		}
		if ok, _ := a.take(operator{"c.example.com", now.String()}, now); !ok {
			t.Fatal("refused")
		}
		now = now.Add(time.Hour)
	}
	if len(a.known) > 3 {
		t.Errorf("%d operators are known", len(a.known))
	}
}
