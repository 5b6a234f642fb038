package actors

import (
	"strings"
	"testing"

	"strowger/actors/envelope"
)

// What a client asks for is granted by itself, and what is not understood is as if it were not there.
func TestWishes(t *testing.T) {
	at := map[string]Position{"s": {"e", 1}}
	for payload, want := range map[string]struct {
		granted string // empty: there is no wish
		since   map[string]Position
	}{
		``:                          {},
		`null`:                      {},
		`[]`:                        {},
		`{}`:                        {},
		`{"gaps":false}`:            {},
		`{"gaps":null}`:             {},
		`{"gaps":"true"}`:           {},
		`{"gaps":1,"x":[]}`:         {},
		`{"gaps":true}`:             {`{"gaps":true}`, nil},
		`{"gaps":true,"history":1}`: {`{"gaps":true}`, nil},
		`{"history":{}}`:            {`{"history":{}}`, map[string]Position{}},
		`{"history":{"s":{"epoch":"e","offset":1}},"gaps":"x"}`:  {`{"history":{"s":{"recovered":false}}}`, at},
		`{"history":{"s":{"epoch":"e","offset":1}},"gaps":true}`: {`{"history":{"s":{"recovered":false}},"gaps":true}`, at},
	} {
		w, since := wished(&envelope.Envelope{Payload: envelope.Raw(payload)})
		granted := ""
		if w != nil {
			granted = string(w.granted(nil, since))
		}
		p := &Peer{wishes: w}
		if granted != want.granted || len(since) != len(want.since) || since["s"] != want.since["s"] || p.recorded() != (want.since != nil) {
			t.Errorf("%s: granted %s since %v, want %s since %v", payload, granted, since, want.granted, want.since)
		}
		if p.HearsGaps() != (len(granted) > 11 && granted[len(granted)-12:] == `"gaps":true}`) {
			t.Errorf("%s: the peer hears gaps: %t", payload, p.HearsGaps())
		}
	}
	if (*Peer)(nil).HearsGaps() {
		t.Error("nobody hears gaps")
	}
}

// What a client has asked for holds in another process.
func TestWishesCross(t *testing.T) {
	old, fresh := newWorld(t), newWorld(t)
	for _, wish := range []string{`{"gaps":true}`, `{"history":{}}`, `{"history":{},"gaps":true}`, `{"filters":{"s":true}}`} {
		p := old.connect()
		p.gets(hello)
		p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":%s}`, old.token(watching("s")), strings.Replace(wish, "true}}", `{"topics":["t"]}}}`, 1))
		if m := p.next(); string(m.Payload) != wish {
			t.Fatalf("the 200 to %s says %s", wish, m.Payload)
		}
		peers := map[string]*Peer{}
		fresh.adopt(p, peers)
		for _, known := range peers {
			if known.HearsGaps() != strings.Contains(wish, "gaps") || known.recorded() != strings.Contains(wish, "history") ||
				(known.narrowing("s") != nil) != strings.Contains(wish, "filters") {
				t.Errorf("of %s came %+v", wish, known.wishes)
			}
		}
		if len(peers) != 1 {
			t.Errorf("%d peers", len(peers))
		}
	}
}
