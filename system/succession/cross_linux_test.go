package succession

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/system/token"
)

// service returns the connection of a service, which the test reads and writes.
func (r *running) service(name string) *raw {
	r.t.Helper()
	return r.authenticate(r.mint(token.Spec{Kind: token.Service, ServiceName: name, ServiceClass: "lab_plain_service"}))
}

// request returns a request of a client.
func request(service, id, payload string) string {
	return fmt.Sprintf(`{"service":%q,"topic":"t","request_id":%q,"payload":%q}`, service, id, payload)
}

// reply answers a request as a service does.
func (w *raw) reply(to said, payload string) {
	w.t.Helper()
	w.text(fmt.Sprintf(`{"service_name":%q,"topic":%q,"request_id":%q,"resource_id":%q,"payload":%q}`, to.ServiceName, to.Topic, to.RequestID, to.ResourceID, payload))
}

// TestPiecesCross: what a peer has sent of a message before an upgrade is one message with the rest.
func TestPiecesCross(t *testing.T) {
	r := run(t, open)
	svc := r.service("weather")
	long := strings.Repeat("long ", 5_000)
	halves := map[string][2][]byte{}
	whole := frame(opText, true, request("weather", "header", long))
	halves["header"] = [2][]byte{whole[:5], whole[5:]}
	whole = frame(opText, true, request("weather", "payload", long))
	halves["payload"] = [2][]byte{whole[:len(whole)/2+1], whole[len(whole)/2+1:]}
	text := request("weather", "fragments", long)
	first, last := frame(opText, false, text[:100]), frame(opContinuation, true, text[100:])
	halves["fragments"] = [2][]byte{first, last}
	halves["fragments and a part"] = [2][]byte{append(first, last[:1000]...), last[1000:]}
	ping := frame(opPing, true, "alive?")
	halves["ping"] = [2][]byte{append(append([]byte{}, first...), ping[:7]...), append(append([]byte{}, ping[7:]...), last...)}
	peers := map[string]*raw{}
	for name, half := range halves {
		peers[name] = r.authenticate(r.mint(token.Spec{}))
		// The router reads both at once, and has the half message when it answers the whole one.
		peers[name].write(append(frame(opText, true, offered("0")), half[0]...))
		if m := peers[name].message(); m.RequestID != "0" {
			t.Fatalf("%s: the question is answered with %+v", name, m)
		}
	}
	for range 3 {
		r.upgrade()
	}
	for name, half := range halves {
		peers[name].write(half[1])
		got := svc.message()
		if want := `"` + long + `"`; string(got.Payload) != want {
			t.Errorf("%s: the service got a payload of %d bytes, want %d", name, len(got.Payload), len(want))
		}
		svc.reply(got, "yes")
		if name == "ping" {
			if op, payload := peers[name].next(); op != opPong || string(payload) != "alive?" {
				t.Errorf("the ping is answered with %d %q", op, payload)
			}
		}
		if m := peers[name].message(); string(m.Payload) != `"yes"` {
			t.Errorf("%s: the answer is %+v", name, m)
		}
	}
}

// offered returns a question that the router itself answers.
func offered(id string) string {
	return fmt.Sprintf(`{"service":"strowger","topic":"offered","request_id":%q,"payload":{"service":"weather"}}`, id)
}

// TestNewcomersCross: connections that have not shaken hands, or not authenticated, go on where they were.
func TestNewcomersCross(t *testing.T) {
	r := run(t, open+"limits: {authentication_attempts: 2, header_timeout: 5m, authentication_timeout: 1h}\n")
	silent, early, refused := r.accept(), r.open(), r.open()
	refused.text(`{"service":"authentication","token":{"name":"no","hash":"no"}}`)
	if m := refused.message(); m.StatusCode != 401 {
		t.Fatalf("a token that does not exist is answered with %+v", m)
	}
	made := r.mint(token.Spec{})
	half := frame(opText, true, login(made))
	early.write(append(frame(opText, true, `{"topic":"x"}`), half[:20]...))
	if m := early.message(); m.StatusCode != 407 {
		t.Fatalf("a message without a token is answered with %+v", m)
	}
	r.upgrade()
	r.upgrade()
	silent.shake()
	silent.login(r.mint(token.Spec{}), 200)
	early.write(half[20:])
	if m := early.message(); m.StatusCode != 200 {
		t.Errorf("a token in two pieces is answered with %+v", m)
	}
	refused.text(`{"service":"authentication","token":{"name":"no","hash":"no"}}`)
	if m := refused.message(); m.StatusCode != 401 {
		t.Errorf("the second token is answered with %+v", m)
	}
	refused.closed(4003)
}

// TestRequestsCross: replies reach the clients that asked before the upgrade, and nobody else.
func TestRequestsCross(t *testing.T) {
	r := run(t, open)
	svc, other := r.service("weather"), r.service("news")
	asker, another := r.authenticate(r.mint(token.Spec{})), r.authenticate(r.mint(token.Spec{}))
	asker.text(request("weather", "1", "a"))
	another.text(request("weather", "1", "b"))
	asker.text(request("news", "9", "c"))
	one, two := svc.message(), svc.message()
	other.message()
	gone := r.authenticate(r.mint(token.Spec{Services: []string{"weather"}}))
	gone.text(request("weather", "2", "d"))
	late := svc.message()
	_ = gone.tcp().CloseWrite()
	gone.closed(1000)
	r.upgrade()
	// The instance that has this request leaves without an answer.
	_ = other.conn.Close()
	if m := asker.message(); m.StatusCode != 503 || m.RequestID != "9" {
		t.Errorf("the request of a service that has left is answered with %+v", m)
	}
	svc.reply(late, "nobody")
	svc.reply(two, "two")
	svc.reply(one, "one")
	svc.reply(one, "one again")
	for _, want := range []string{"one", "one again"} {
		wantPayload(t, asker, one, want)
	}
	wantPayload(t, another, two, "two")
	r.upgrade()
	// It may get several replies, also by another process.
	svc.reply(one, "one more")
	wantPayload(t, asker, one, "one more")
	asker.text(request("weather", "3", "e"))
	svc.reply(svc.message(), "three")
	if m := asker.message(); m.RequestID != "3" {
		t.Errorf("got %+v, want the answer to 3", m)
	}
}

func wantPayload(t *testing.T, w *raw, request said, payload string) {
	t.Helper()
	m := w.message()
	if m.RequestID != request.RequestID || string(m.Payload) != `"`+payload+`"` {
		t.Errorf("got %+v %s, want %q", m, m.Payload, payload)
	}
}

// TestSlowReaderCrosses: what waits for a peer that does not read arrives once and in order.
func TestSlowReaderCrosses(t *testing.T) {
	r := run(t, open+"limits: {outbound_messages: 4000, outbound_bytes: 64MiB}\n")
	svc := r.service("weather")
	slow := r.authenticate(r.mint(token.Spec{Services: []string{"weather"}}))
	asker := r.authenticate(r.mint(token.Spec{}))
	filler := strings.Repeat("x", 10_000)
	sent := 0
	burst := func() {
		for range 1500 {
			svc.text(fmt.Sprintf(`{"service_name":"weather","topic":"n","payload":"%d %s"}`, sent, filler))
			sent++
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
	for i := range sent {
		m := slow.message()
		if got, _, _ := strings.Cut(strings.Trim(string(m.Payload), `"`), " "); got != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, got)
		}
	}
	slow.text(request("weather", "5", ""))
	svc.reply(svc.message(), "there")
	if m := slow.message(); m.RequestID != "5" {
		t.Errorf("got %+v", m)
	}
}

// TestStalledReaderCrosses: a peer that asks and does not read has its messages read on where that ended.
func TestStalledReaderCrosses(t *testing.T) {
	r := run(t, open+"limits: {inbound_messages: 4, client_bytes: 64KiB, write_timeout: 10m}\n")
	svc := r.service("weather")
	asker := r.authenticate(r.mint(token.Spec{}))
	// The router answers these itself, and the answers hold the window.
	const count = 30_000
	// Together they are more than the kernel takes for a program that does not read.
	filler := strings.Repeat(" ", 2000)
	go func() {
		for i := range count {
			if _, err := asker.conn.Write(frame(opText, true, offered(fmt.Sprint(i))+filler)); err != nil {
				return
			}
		}
	}()
	// Now and then the router reads nothing from it.
	for range 3 {
		r.stalled(asker)
		r.upgrade()
	}
	for i := range count {
		if m := asker.message(); m.RequestID != fmt.Sprint(i) || m.StatusCode != 200 {
			t.Fatalf("answer %d is %+v", i, m)
		}
	}
	asker.text(request("weather", "x", ""))
	svc.reply(svc.message(), "")
	if m := asker.message(); m.RequestID != "x" {
		t.Errorf("got %+v", m)
	}
}

// stalled waits until the router does not read from a peer that goes on sending.
func (r *running) stalled(w *raw) {
	r.t.Helper()
	raw, err := w.tcp().SyscallConn()
	if err != nil {
		r.t.Fatal(err)
	}
	same, last := 0, -1
	for late := time.Now().Add(patience); same < 20; {
		if n := unacknowledged(r.t, raw); n > 0 && n == last {
			same++
		} else {
			same, last = 0, n
		}
		<-time.After(time.Millisecond)
		if time.Now().After(late) {
			r.t.Fatal("the router goes on reading")
		}
	}
}

// TestExpiryCrosses: a token ends when it would have ended.
func TestExpiryCrosses(t *testing.T) {
	r := run(t, open)
	issued := time.Now()
	w := r.authenticate(r.mint(token.Spec{IssuedAt: issued, Limit: 15 * time.Second}))
	r.upgrade()
	w.closed(4001)
	if lived := time.Since(issued); lived < 14*time.Second {
		t.Errorf("closed after %v, want 15s or a little more", lived)
	}
}

// TestHoldersCross: a holder comes back with a token that another process has accepted.
func TestHoldersCross(t *testing.T) {
	r := run(t, open+"tokens: {reclaim: 5m}\n")
	before, after := r.mint(token.Spec{}), r.mint(token.Spec{})
	w := r.authenticate(before)
	still := r.authenticate(after)
	w.cut()
	r.authenticate(before).cut() // and so the router knows that the first one is gone
	r.upgrade()
	still.cut()
	r.authenticate(after).cut()
	r.authenticate(before).cut()
	r.upgrade()
	r.authenticate(before)
	r.authenticate(after)
	r.open().login(r.mint(token.Spec{}), 200)
}

// cut ends a connection without a word.
func (w *raw) cut() {
	_ = w.tcp().SetLinger(0)
	_ = w.conn.Close()
}
