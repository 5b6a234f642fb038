package panel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestPartedCall has a call whose channels have parted: the switch says in bridge_uuid whom a channel talked with last, which
// is a call of another domain by now. No action reaches that.
func TestPartedCall(t *testing.T) {
	const foreign = "ffffffff-1111-4000-8000-000000000000"
	for _, a := range []asked{
		do("operator", "intercept", "uuid", callB, "destination", "1005"), do("operator", "hangup_caller", "uuid", callB),
		do("operator", "transfer_attended_complete", "parked_uuid", callA, "operator_uuid", callB, "destination", "1005"),
	} {
		x := &exchange{answer: func(command string, _ int) (string, bool) {
			return foreign, strings.HasPrefix(command, "uuid_getvar") && strings.HasSuffix(command, " bridge_uuid")
		}}
		s := replay.Load(t, testdata, "panel-call")
		s.Lines = nil
		s.Ask(t, a.at, a.client, Name, "action", a.payload)
		r := x.on(t, s, 2*time.Second, nil)
		if i := slices.IndexFunc(r.Commands, func(c string) bool { return strings.Contains(c, foreign) }); i >= 0 {
			t.Errorf("%s sends %q", a.payload["action"], r.Commands[i])
		}
	}
}

// TestNoBond has a call that talks with nobody any more, as the switch says, although events have named its other leg. No
// action reaches that.
func TestNoBond(t *testing.T) {
	tests := map[string]struct {
		asked asked
		want  string
	}{
		"hangup_caller": {do("operator", "hangup_caller", "uuid", callB), "api uuid_kill " + callB},
		"intercept":     {do("operator", "intercept", "uuid", callB, "destination", "1005"), "api uuid_transfer " + callB + " 1005 XML a.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := &exchange{answer: func(command string, _ int) (string, bool) {
				return "_undef_", strings.HasPrefix(command, "uuid_getvar") && strings.HasSuffix(command, " signal_bond")
			}}
			s := replay.Load(t, testdata, "panel-call")
			s.Lines = nil
			s.Ask(t, test.asked.at, test.asked.client, Name, "action", test.asked.payload)
			r := x.on(t, s, 2*time.Second, nil)
			if !slices.Contains(r.Commands, test.want) {
				t.Errorf("commands %q, want %q", r.Commands, test.want)
			}
			if i := slices.IndexFunc(r.Commands, func(c string) bool { return strings.Contains(c, callA) }); i >= 0 {
				t.Errorf("sends %q", r.Commands[i])
			}
		})
	}
}
