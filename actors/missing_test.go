package actors

import (
	"encoding/json"
	"testing"
)

// hearing returns a client that is told of gaps.
func (w *world) hearing(services ...string) *peer {
	w.t.Helper()
	p := w.connect()
	p.gets(hello)
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"gaps":true}}`, w.token(watching(services...)))
	if m := p.next(); string(m.StatusCode) != "200" || string(m.Payload) != `{"gaps":true}` {
		w.t.Fatalf("got %s", line(m))
	}
	return p
}

// misses wants the next message to say that something of a service may be missing.
func (p *peer) misses(service string) {
	p.w.t.Helper()
	var m struct {
		Service string `json:"service_name"`
		Gap     *int   `json:"gap"`
	}
	text := <-p.socket.written
	if err := json.Unmarshal(text.Text(), &m); err != nil || m.Service != service || m.Gap == nil || *m.Gap != 0 {
		p.w.t.Fatalf("got %s: %v", text.Text(), err)
	}
}

// TestMissing loses the node of an instance and links one that has spoken before. A client that hears of gaps is told both times.
// Others hear nothing, and nobody does of an instance that comes or leaves in good order.
func TestMissing(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	p, other := a.hearing("s", "u"), a.client("s")
	leaver := b.service("s")
	c.settle("s")
	s, twin := b.service("s"), b.service("s")
	c.settle("s")
	b.gone(leaver)
	c.settle("s")
	p.silent()

	s.writef(`{"service":"s","topic":"last"}`)
	c.settle("s")
	c.part(a, b)
	p.gets(` s/last #"" null`)
	p.misses("s")
	s.writef(`{"service":"s","topic":"lost"}`)
	c.settle("s")
	c.join(a, b)
	c.settle("s")
	twin.writef(`{"service":"s","topic":"first"}`)
	p.misses("s")
	p.gets(` s/first #"" null`)
	c.settle("s")
	p.silent()
	other.gets(` s/last #"" null`, ` s/first #"" null`)
	if n := a.deps.Counters.LossesTold.Load(); n != 2 {
		t.Errorf("%d losses were told", n)
	}
}
