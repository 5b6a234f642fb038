package panel

import (
	"errors"
	"testing"
)

// TestOddAnswers wants the lists of a switch that answers with something else to be none.
func TestOddAnswers(t *testing.T) {
	for _, body := range []string{"", "null", "{}", "[]", "-ERR no reply\n", `{"row_count":1}`, `{"row_count":0,"rows":[{"reg_user":"1001","realm":"a.example.com"}]}`, `{"row_count":1,"rows":[7]}`} {
		if found, err := readRegistrations(body); !errors.Is(err, errRegistrations) {
			t.Errorf("%q are the registrations %v, %v", body, found, err)
		}
	}
	if found, err := readRegistrations(`{"row_count":1,"rows":[{"reg_user":"1001","realm":"a.example.com"}]}`); err != nil || found["a.example.com"]["1001"] != 1 {
		t.Errorf("registrations %v, %v", found, err)
	}
	for _, table := range []string{"", "\n\n", "|", "-ERR no\n", "name|name|state\nx|y\n", "name|status\nx\n|||\n+OK\n"} {
		for _, a := range readAgents(table) {
			if a.State != "" {
				t.Errorf("%q has the agent %+v", table, a)
			}
		}
	}
}
