package actors

import (
	"strings"
	"testing"
)

// A service that has filled all that histories may take gives way to others, down to an equal share.
func TestHistoriesShare(t *testing.T) {
	w := under(t, `a_service: {scopes: [{to: all}], history: {messages: 1000, bytes: 1000000000, age: 1h}}
b_service: {scopes: [{to: all}], history: {messages: 1000, bytes: 1000000000, age: 1h}}`)
	const limit = 64 << 10
	w.change(func(s *Settings) { s.HistoryBytes = limit })
	a, b := w.service("a"), w.service("b")
	payload := `"` + strings.Repeat("x", 3000) + `"`
	page, said := w.returning(watching("a", "b"), `{}`)
	say := func(s *peer, name string, n int) {
		for range n {
			s.writef(`{"service":%q,"payload":%s}`, name, payload)
			page.next()
		}
	}
	say(a, "a", 40)
	say(b, "b", 30)
	w.settleName(a, "a")
	w.settleName(b, "b")
	c := w.deps.Counters
	if n := c.HistoryBytes.Load(); n > limit {
		t.Errorf("%d bytes are kept, over the limit of %d", n, limit)
	}
	// Each has half of the room, which is for nine or ten.
	for name, n := range map[string]int{"a": 40, "b": 30} {
		for missed, want := range map[int]bool{8: true, 12: false} {
			at := Position{said[name].Epoch, int64(n - missed)}
			_, again := w.returning(watching(name), `{"`+name+`":{"epoch":"`+at.Epoch+`","offset":`+at.String()[len(at.Epoch)+1:]+`}}`)
			if got := again[name].Recovered; got == nil || *got != want {
				t.Errorf("%s, %d missed: recovered is not %v", name, missed, want)
			}
		}
	}
}
