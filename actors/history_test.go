package actors

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/config/policy"
)

// arrived is what a test reads of the 200 to a client that asked for positions.
type arrived map[string]struct {
	Position
	Recovered *bool
}

// returning returns a connection that was admitted and said where it was, and what the 200 says.
func (w *world) returning(c *Credentials, since string) (*peer, arrived) {
	w.t.Helper()
	p := w.connect()
	p.gets(hello)
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"history":%s}}`, w.token(c), since)
	m := p.next()
	var payload struct{ History arrived }
	if err := json.Unmarshal(m.Payload, &payload); err != nil || string(m.StatusCode) != "200" {
		w.t.Fatalf("got %s: %v", line(m), err)
	}
	return p, payload.History
}

func watching(names ...string) *Credentials {
	return &Credentials{Role: Client, Services: names, DomainName: "a.example", Permissions: []string{"see"}}
}

// hears returns the next broadcast with its position.
func (p *peer) hears() (payload string, at Position) {
	p.w.t.Helper()
	select {
	case m := <-p.socket.written:
		e, err := envelope.Decode(m.Text(), envelope.MaxDepth)
		if err != nil {
			p.w.t.Fatal(err)
		}
		if err := json.Unmarshal(m.Text(), &at); err != nil {
			p.w.t.Fatal(err)
		}
		if m.Recorded == nil || m.Recorded.Position != at || m.Recorded.Service != "s" {
			p.w.t.Errorf("the outlet is told %+v of a message at %v", m.Recorded, at)
		}
		return string(e.Payload), at
	case <-time.After(patience):
		p.w.t.Fatal("no message came")
		return "", at
	}
}

func (p *peer) hearsAll(epoch string, first int64, want ...string) {
	p.w.t.Helper()
	for i, want := range want {
		got, at := p.hears()
		if wantAt := (Position{epoch, first + int64(i)}); got != want || at != wantAt {
			p.w.t.Fatalf("got %s at %v, want %s at %v", got, at, want, wantAt)
		}
	}
}

const keeping = `s_service: {scopes: [{to: all}], history: {messages: 4, bytes: 100000, age: 1m}}`

// A client that comes back gets what it missed, in order and before anything newer. Others notice nothing.
func TestRecovery(t *testing.T) {
	w := under(t, keeping)
	s := w.service("s")
	old := w.client("s")
	p, said := w.returning(watching("s"), `{}`)
	start := said["s"]
	if start.Epoch == "" || start.Offset != 0 || start.Recovered != nil {
		t.Fatalf("the 200 says %+v", said)
	}
	for i := range 3 {
		s.writef(`{"service":"s","payload":%d}`, i)
	}
	p.hearsAll(start.Epoch, 1, "0", "1", "2")
	old.gets(` s/ #"" 0`, ` s/ #"" 1`, ` s/ #"" 2`)
	w.gone(p)
	for i := range 3 {
		s.writef(`{"service":"s","payload":%d}`, 3+i)
	}
	w.settleName(s, "s")
	p, said = w.returning(watching("s"), fmt.Sprintf(`{"s":{"epoch":%q,"offset":3},"foreign":null}`, start.Epoch))
	if at := said["s"]; at.Position != (Position{start.Epoch, 3}) || at.Recovered == nil || !*at.Recovered {
		t.Errorf("the 200 says %+v", said)
	}
	if at := said["foreign"]; at.Epoch != "" || at.Recovered == nil || *at.Recovered {
		t.Errorf("of a service that it is not subscribed to the 200 says %+v", at)
	}
	s.writef(`{"service":"s","payload":6}`)
	p.hearsAll(start.Epoch, 4, "3", "4", "5", "6")
	var none Position
	if text := take(old); json.Unmarshal(text, &none) != nil || none != (Position{}) {
		t.Errorf("a client that asked for nothing got %s", text)
	}
	if n, m := w.deps.Counters.Recovered.Load(), w.deps.Counters.NotRecovered.Load(); n != 1 || m != 0 {
		t.Errorf("counted %d recovered, %d not", n, m)
	}
}

// A client that cannot get all it missed gets nothing of it, and is told.
func TestNotRecovered(t *testing.T) {
	w := under(t, keeping)
	s := w.service("s")
	p, said := w.returning(watching("s"), `{"s":null}`)
	if r := said["s"].Recovered; r == nil || *r {
		t.Errorf("a client without a position is told %+v", said)
	}
	epoch := said["s"].Epoch
	for i := range 6 {
		s.writef(`{"service":"s","payload":%d}`, i)
	}
	p.hearsAll(epoch, 1, "0", "1", "2", "3", "4", "5")
	for since, want := range map[string]bool{
		fmt.Sprintf(`{"epoch":%q,"offset":2}`, epoch):                true, // four are kept
		fmt.Sprintf(`{"epoch":%q,"offset":1}`, epoch):                false,
		fmt.Sprintf(`{"epoch":%q,"offset":6}`, epoch):                true,
		fmt.Sprintf(`{"epoch":%q,"offset":7}`, epoch):                false, // nobody has said that
		fmt.Sprintf(`{"epoch":%q,"offset":-1}`, epoch):               false,
		fmt.Sprintf(`{"epoch":%q,"offset":9007199254740992}`, epoch): false,
		`{"epoch":"another","offset":6}`:                             false,
		`{"epoch":"","offset":0}`:                                    false,
	} {
		back, said := w.returning(watching("s"), `{"s":`+since+`}`)
		if r := said["s"].Recovered; r == nil || *r != want {
			t.Errorf("since %s: %+v", since, said)
		}
		if !want {
			w.settleName(back, "s")
			back.silent()
		}
	}
	// Too old.
	w.clock.Advance(time.Minute)
	_, said = w.returning(watching("s"), fmt.Sprintf(`{"s":{"epoch":%q,"offset":5}}`, epoch))
	if r := said["s"].Recovered; *r {
		t.Error("recovered what is too old")
	}
}

// Broadcasts are kept as long as their age says although nobody offers or watches the name.
func TestHistoryOutlivesItsName(t *testing.T) {
	w := under(t, keeping)
	s := w.service("s")
	p, said := w.returning(watching("s"), `{}`)
	epoch := said["s"].Epoch
	w.gone(p)
	s.writef(`{"service":"s","payload":1}`)
	s.writef(`{"service":"s","payload":2}`)
	w.settleName(s, "s") // they are as old as the clock says
	w.gone(s)
	w.clock.Advance(59 * time.Second)
	p, said = w.returning(watching("s"), fmt.Sprintf(`{"s":{"epoch":%q,"offset":0}}`, epoch))
	if r := said["s"].Recovered; r == nil || !*r {
		t.Fatalf("the 200 says %+v", said)
	}
	p.hearsAll(epoch, 1, "1", "2")
	w.gone(p)
	w.settle(w.router.PID())
	route := w.deps.Registry.Lookup("s")
	if route == nil {
		t.Fatal("the name has ended")
	}
	w.settle(route.Service.PID(), route.Topic.PID())
	w.clock.Advance(time.Second)
	w.ended(route.Topic.PID())
	if n, b := w.deps.Counters.HistoryMessages.Load(), w.deps.Counters.HistoryBytes.Load(); n != 0 || b != 0 {
		t.Errorf("%d broadcasts of %d bytes are still counted", n, b)
	}
}

// What is replayed goes by the policies of now.
func TestReplayGoesByPolicies(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}], key_permissions: {secret: [see]}, history: {messages: 10}}`)
	s := w.service("s")
	p, said := w.returning(watching("s"), `{}`)
	epoch := said["s"].Epoch
	s.writef(`{"service":"s","payload":{"d":"a.example","secret":1}}`)
	s.writef(`{"service":"s","payload":{"d":"b.example","secret":2}}`)
	s.writef(`{"service":"s","payload":{"d":"a.example","secret":3}}`)
	p.hearsAll(epoch, 1, `{"d":"a.example","secret":1}`)
	p.hearsAll(epoch, 3, `{"d":"a.example","secret":3}`)
	w.gone(p)
	less := watching("s")
	less.Permissions = nil
	since := fmt.Sprintf(`{"s":{"epoch":%q,"offset":0}}`, epoch)
	back, _ := w.returning(less, since)
	back.hearsAll(epoch, 1, `{"d":"a.example"}`)
	back.hearsAll(epoch, 3, `{"d":"a.example"}`)
	s.writef(`{"service":"s","payload":{"d":"a.example","secret":4}}`)
	back.hearsAll(epoch, 4, `{"d":"a.example"}`)
	w.change(func(s *Settings) {
		s.Policies = policies(t, `s_service: {require: [nobody], history: {messages: 10}}`)
	})
	back, said = w.returning(watching("s"), since)
	if r := said["s"].Recovered; r == nil || !*r {
		t.Errorf("the 200 says %+v", said)
	}
	w.settleName(back, "s")
	back.silent()
	// Without a history in the policy there is none.
	w.change(func(s *Settings) { s.Policies = policies(t, `s_service: {scopes: [{to: all}]}`) })
	back, said = w.returning(watching("s"), since)
	if at := said["s"]; at.Epoch != "" || *at.Recovered {
		t.Errorf("the 200 says %+v", said)
	}
	w.settleName(back, "s")
	s.writef(`{"service":"s","payload":5}`)
	back.gets(` s/ #"" 5`)
}

// Clients that ask for nothing get the 200 as ever, and so do those whose payload means something else.
func TestNothingAskedNothingTold(t *testing.T) {
	w := under(t, keeping)
	w.service("s")
	for _, payload := range []string{`null`, `{}`, `{"history":null}`, `{"history":[]}`, `{"history":"s"}`, `[]`, `1`} {
		p := w.connect()
		p.gets(hello)
		p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":%s}`, w.token(watching("s")), payload)
		p.gets(admitted200)
	}
	p := w.connect()
	p.gets(hello)
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"history":{}}}`,
		w.token(&Credentials{Role: Service, Service: "t", Services: []string{"s"}}))
	p.gets(admitted200)
}

// A value of the wrong type is ignored, and the others count.
func TestWrongValuesAmongPositions(t *testing.T) {
	w := under(t, keeping)
	w.service("s")
	_, said := w.returning(watching("s", "t"), `{"t":1,"s":null}`)
	if at, asked := said["s"]; !asked || at.Recovered == nil || *at.Recovered || said["t"].Recovered != nil {
		t.Errorf("told %+v", said)
	}
}

// The bounds hold whatever is said, and what since returns is what was said last.
func TestHistoryBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		c, now := new(Counters), time.Unix(0, 0)
		bounds := policy.History{Messages: 1 + random.IntN(20), Bytes: 1 + random.IntN(5000), Age: time.Duration(1+random.IntN(20)) * time.Second}
		limit := int64(1 + random.IntN(6000))
		h := newHistory(bounds, c)
		var said []string
		for range 100 {
			now = now.Add(time.Duration(random.IntN(1500)) * time.Millisecond)
			text := fmt.Sprintf("%0*d", 1+random.IntN(500), len(said))
			said = append(said, text)
			h.add(replayable{text: []byte(text), at: now}, limit)
			p := Position{h.epoch, int64(random.IntN(len(said) + 3))}
			got, ok := h.since(p, now)
			if len(h.kept) > bounds.Messages || h.bytes > int64(bounds.Bytes) || h.bytes > limit {
				t.Fatalf("%d kept of %d bytes, bounds %+v, limit %d", len(h.kept), h.bytes, bounds, limit)
			}
			if c.HistoryBytes.Load() != h.bytes || c.HistoryMessages.Load() != int64(len(h.kept)) {
				t.Fatalf("counted %d of %d bytes, kept %d of %d", c.HistoryMessages.Load(), c.HistoryBytes.Load(), len(h.kept), h.bytes)
			}
			if want := p.Offset <= int64(len(said)) && p.Offset >= int64(len(said)-len(h.kept)); ok != want {
				t.Fatalf("since %v of %d with %d kept: %v", p, len(said), len(h.kept), ok)
			}
			for i, k := range got {
				if string(k.text) != said[p.Offset+int64(i)] || h.offset(i, len(got)) != p.Offset+int64(i)+1 {
					t.Fatalf("since %v: %s at %d", p, k.text, h.offset(i, len(got)))
				}
			}
			if ok && int64(len(got)) != int64(len(said))-p.Offset {
				t.Fatalf("since %v: got %d", p, len(got))
			}
		}
		h.drop()
		if c.HistoryBytes.Load() != 0 || c.HistoryMessages.Load() != 0 {
			t.Fatal("something is counted of a history that is dropped")
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", "a.1", "a.-1", "a.01", ".1", "a b.1", "abcdefghijkl.9007199254740991", "abcdefghijkl.9007199254740992", "a.1.2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if err != nil && p != (Position{}) || err == nil && p.String() != text {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	})
}
