package succession

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"strowger/system/token"
)

// TestGapsCross: a reader that does not read hears of each broadcast that it got it or not, whichever process dropped it.
func TestGapsCross(t *testing.T) {
	r := run(t, strings.Replace(open, "to: all}]", "to: all}], slow: drop_oldest", 1)+"limits: {outbound_messages: 64}\n")
	svc := r.service("weather")
	slow := r.open()
	login := login(r.mint(token.Spec{Services: []string{"weather"}}))
	slow.text(strings.TrimSuffix(login, "}") + `,"payload":{"gaps":true}}`)
	if m := slow.message(); string(m.Payload) != `{"gaps":true}` {
		t.Fatalf("the token is answered with %+v", m)
	}
	asker := r.authenticate(r.mint(token.Spec{}))
	filler := strings.Repeat("x", 10_000)
	sent := 0
	burst := func() {
		for range 1500 {
			sent++
			svc.text(fmt.Sprintf(`{"service_name":"weather","topic":"n","payload":{"n":%d,"filler":%q}}`, sent, filler))
		}
		// A reply comes after all that was said before.
		asker.text(request("weather", "1", ""))
		svc.reply(svc.message(), "")
		asker.message()
	}
	burst()
	r.upgrade()
	burst()
	r.upgrade()
	burst()
	heard, told := 0, 0
	for heard < sent {
		op, text := slow.next()
		if op == opPing {
			continue
		}
		var m struct {
			Payload *struct{ N int }
			Gap     int
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if m.Payload == nil {
			heard += m.Gap
			told += m.Gap
			continue
		}
		if heard++; m.Payload.N != heard {
			t.Fatalf("got %d, want %d", m.Payload.N, heard)
		}
	}
	if told == 0 {
		t.Error("nothing was dropped")
	}
}
