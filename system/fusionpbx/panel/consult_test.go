package panel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestHalfTransfer ends an attended transfer when one side of it has gone. The other side is not left waiting, unless it is
// of another domain.
func TestHalfTransfer(t *testing.T) {
	const ringing = `true,"message":"Transfer completed (destination still ringing)"`
	cancel := func(client string, more ...any) asked {
		return do(client, "transfer_attended_cancel", append(more, "parked_uuid", nowhere)...)
	}
	complete := func(client string, more ...any) asked {
		return do(client, "transfer_attended_complete", append(more, "operator_uuid", nowhere)...)
	}
	tests := map[string]struct {
		asked asked
		want  string
		sends []string
	}{
		"cancel, no caller":                 {cancel("operator", "operator_uuid", callB), `true,"message":"Transfer cancelled"`, []string{"api uuid_kill " + callB}},
		"cancel, no caller, call back":      {cancel("operator", "operator_uuid", callB, "source_extension", "1002"), `true,"message":"Transfer cancelled"`, []string{"api uuid_kill " + callB}},
		"cancel, no caller, of another":     {cancel("adminb", "operator_uuid", callB), "The call is not of your domain", nil},
		"cancel, neither":                   {cancel("operator", "operator_uuid", nowhere, "source_extension", "1002"), `true,"message":"Transfer cancelled"`, nil},
		"cancel, neither named":             {cancel("operator", "source_extension", "1002"), "No such channel", nil},
		"complete, no operator":             {complete("operator", "parked_uuid", callA, "destination", "1005"), ringing, []string{"api uuid_transfer " + callA + " 1005 XML a.example.com"}},
		"complete, no operator, of another": {complete("adminb", "parked_uuid", callA, "destination", "1005"), "The call is not of your domain", nil},
		"complete, no operator, no number":  {complete("operator", "parked_uuid", callA), "Cannot find destination channel", nil},
		"complete, neither":                 {complete("operator", "parked_uuid", nowhere, "destination", "1005"), "No such channel", nil},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			s := replay.Load(t, testdata, "panel-call")
			s.Lines = nil
			id := s.Ask(t, test.asked.at, test.asked.client, Name, "action", test.asked.payload)
			r := new(exchange).on(t, s, 2*time.Second, nil)
			if replies := r.Replies(id); len(replies) != 1 || !strings.Contains(string(replies[0].Payload), test.want) {
				t.Errorf("answers %+v, want %s", replies, test.want)
			}
			sends := slices.DeleteFunc(r.Commands, func(c string) bool {
				return !strings.HasPrefix(c, "api uuid_") && !strings.Contains(c, "originate")
			})
			if !slices.Equal(sends, test.sends) {
				t.Errorf("sends %q, want %q", sends, test.sends)
			}
		})
	}
}
