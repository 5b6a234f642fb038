package demo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"strowger/actors/filter"
	"strowger/config/policy"
	"strowger/system/service"
)

// TestUsersSeeWhatTheyMay asks the policy what each of the users gets of three calls: Carol's own,
// a colleague's and one of the other tenant.
func TestUsersSeeWhatTheyMay(t *testing.T) {
	calls := []channel{
		{EventName: callState, ChannelPresenceID: "1001@" + tenantA, CallerContext: tenantA},
		{EventName: callState, ChannelPresenceID: "1004@" + tenantA, CallerContext: tenantA},
		{EventName: callState, ChannelPresenceID: "1001@" + tenantB, CallerContext: tenantB},
	}
	few := "-caller_context -codec -profile -secure -application -direction"
	some := "+caller_context -codec -profile -secure -application -direction"
	tests := map[string]struct{ calls, fields string }{
		"carol": {"yes no no", few},
		"alice": {"yes yes no", some},
		"adam":  {"yes yes no", "+caller_context +codec +profile -secure +application -direction"},
		"bob":   {"no no yes", some},
		"root":  {"yes yes yes", "+caller_context +codec +profile +secure +application +direction"},
	}
	f := compile(t, callsPolicy())
	users := Users(CallsName)
	if len(users) != len(tests) {
		t.Errorf("%d users, want %d", len(users), len(tests))
	}
	for _, u := range users {
		t.Run(u.ID, func(t *testing.T) {
			class := f.Class(subject(u))
			var seen []string
			fields := ""
			for i := range calls {
				out, verdict := f.Apply(class, callState, marshal(t, calls[i]), nil)
				if verdict != filter.Deliver {
					seen = append(seen, "no")
					continue
				}
				seen = append(seen, "yes")
				fields = kept(t, out)
			}
			if got := strings.Join(seen, " "); got != tests[u.ID].calls || fields != tests[u.ID].fields {
				t.Errorf("sees %s with %s, want %s with %s", got, fields, tests[u.ID].calls, tests[u.ID].fields)
			}
		})
	}
}

// TestEverybodySeesStates has all users see the whole state of both services.
func TestEverybodySeesStates(t *testing.T) {
	state := marshal(t, service.State{Service: "x", Condition: service.Restarting, RetryAfter: 1e9})
	for name, p := range map[string]*policy.Policy{CallsName: callsPolicy(), ClockName: clockPolicy()} {
		f := compile(t, p)
		for _, u := range Users() {
			out, verdict := f.Apply(f.Class(subject(u)), service.StateTopic, state, nil)
			if verdict != filter.Deliver || string(out) != string(state) {
				t.Errorf("%s of %s: %s %s", u.ID, name, verdict, out)
			}
		}
	}
}

func compile(t *testing.T, p *policy.Policy) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(*p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func subject(u User) filter.Subject {
	return filter.Subject{Permissions: u.Spec.Permissions, Domain: u.Spec.DomainName, Extensions: u.Spec.Extensions}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kept says which of the guarded fields are there.
func kept(t *testing.T, payload []byte) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(payload, &fields); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, field := range []struct{ short, name string }{
		{"caller_context", "caller_context"}, {"codec", "channel_read_codec_name"}, {"profile", "caller_channel_name"},
		{"secure", "secure"}, {"application", "application_data"}, {"direction", "call_direction"},
	} {
		sign := "-"
		if _, there := fields[field.name]; there {
			sign = "+"
		}
		all = append(all, fmt.Sprint(sign, field.short))
	}
	return strings.Join(all, " ")
}
