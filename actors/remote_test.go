package actors

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/actors/envelope"
	"strowger/config/policy"
)

// recorder is a node that keeps what is sent to it.
type recorder struct {
	name string

	mu      sync.Mutex // Protects following.
	parcels []*Parcel
}

func (n *recorder) Name() string { return n.name }

func (n *recorder) Send(p *Parcel) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parcels = append(n.parcels, p)
	return true
}

// take returns what was sent since the last time, as kind and instance.
func (n *recorder) take() (sent []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.parcels {
		sent = append(sent, fmt.Sprintf("%d %s", p.Kind, p.Instance))
	}
	n.parcels = nil
	return sent
}

// remote returns a node that the test itself speaks for.
func (w *world) remote(name string) (*Remote, *recorder) {
	n := &recorder{name: name}
	r := w.deps.NewRemote(w.router, n)
	w.t.Cleanup(r.Gone)
	return r, n
}

// deep is JSON that is nested deeper than the settings of tests allow.
var deep = strings.Repeat("[", 100) + strings.Repeat("]", 100)

// No parcel that is wrong, or lies, reaches anybody, has anybody answered in another's place, or makes an actor panic.
func TestHostileParcels(t *testing.T) {
	const broadcast = `{"service":"s","topic":"x"}`
	long := strings.Repeat("x", longestName+1)
	for name, tt := range map[string]struct {
		parcel Parcel
		fails  bool
		back   bool // it is handed back
	}{
		"no kind":                    {parcel: Parcel{Service: "s", Text: []byte(broadcast)}, fails: true},
		"unknown kind":               {parcel: Parcel{Kind: 77, Service: "s", Text: []byte(broadcast)}, fails: true},
		"no service":                 {parcel: Parcel{Kind: BroadcastParcel, Instance: "i", Text: []byte(broadcast)}, fails: true},
		"long service":               {parcel: Parcel{Kind: BroadcastParcel, Service: long, Instance: "i", Text: []byte(broadcast)}, fails: true},
		"no text":                    {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i"}, fails: true},
		"no JSON":                    {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`{"service":"s"`)}, fails: true},
		"no object":                  {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`["s"]`)}, fails: true},
		"deep":                       {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`{"service":"s","payload":` + deep + `}`)}, fails: true},
		"large number":               {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`{"service":"s","payload":1e999}`)}, fails: true},
		"other name":                 {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`{"service":"t"}`)}, fails: true},
		"broadcast with request id":  {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: []byte(`{"service":"s","request_id":"1"}`)}, fails: true},
		"broadcast by nobody":        {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Text: []byte(broadcast)}, fails: true},
		"broadcast by a stranger":    {parcel: Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Class: "c", Text: []byte(broadcast)}},
		"broadcast of no name":       {parcel: Parcel{Kind: BroadcastParcel, Service: "t", Instance: "i", Text: []byte(`{"service":"t"}`)}},
		"reply by a stranger":        {parcel: Parcel{Kind: ReplyParcel, Service: "s", Instance: "i", Class: "c", Subscriber: "CLIENT", Text: []byte(`{"service":"s","request_id":"1"}`)}},
		"reply to nobody":            {parcel: Parcel{Kind: ReplyParcel, Service: "s", Instance: "own", Text: []byte(`{"service":"s","request_id":"1"}`)}, fails: true},
		"reply to somebody else":     {parcel: Parcel{Kind: ReplyParcel, Service: "s", Instance: "own", Subscriber: "who", Text: []byte(`{"service":"s"}`)}},
		"unsolicited reply":          {parcel: Parcel{Kind: ReplyParcel, Service: "s", Instance: "own", Subscriber: "CLIENT", Text: []byte(`{"service":"s","request_id":"2"}`)}},
		"reply of no name":           {parcel: Parcel{Kind: ReplyParcel, Service: "t", Instance: "own", Subscriber: "CLIENT", Text: []byte(`{"service":"t","request_id":"1"}`)}},
		"request of no name":         {parcel: Parcel{Kind: AskParcel, Service: "t", Instances: []string{"i"}, Subscriber: "v", Text: []byte(`{"service":"t"}`)}, back: true},
		"request to nobody":          {parcel: Parcel{Kind: AskParcel, Service: "s", Subscriber: "v", Text: []byte(broadcast)}},
		"request to a stranger":      {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"i"}, Subscriber: "v", Text: []byte(broadcast)}, back: true},
		"request to its own":         {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"own"}, Subscriber: "v", Text: []byte(broadcast)}, back: true},
		"request of nobody":          {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"SERVICE"}, Text: []byte(broadcast)}, fails: true},
		"request of a client here":   {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"SERVICE"}, Subscriber: "CLIENT", Text: []byte(broadcast)}, fails: true, back: true},
		"request that is no JSON":    {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"SERVICE"}, Subscriber: "v", Text: []byte(`{`)}, fails: true},
		"permissions of no shape":    {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"SERVICE"}, Subscriber: "v", Text: []byte(`{"service":"s","permissions":true}`)}, fails: true},
		"domain of no shape":         {parcel: Parcel{Kind: AskParcel, Service: "s", Instances: []string{"SERVICE"}, Subscriber: "v", Text: []byte(`{"service":"s","domain_name":[]}`)}, fails: true},
		"hand-back by a stranger":    {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "SERVICE", Subscriber: "CLIENT", RequestID: envelope.Raw(`"1"`)}},
		"hand-back of nothing":       {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "own", Subscriber: "CLIENT", RequestID: envelope.Raw(`"2"`)}},
		"hand-back of another's":     {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "own", Subscriber: "CLIENT", RequestID: envelope.Raw(`"1"`)}},
		"hand-back for nobody":       {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "own", RequestID: envelope.Raw(`"1"`)}},
		"hand-back with a broken id": {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "own", Subscriber: "CLIENT", RequestID: envelope.Raw(`[`)}, fails: true},
		"hand-back with broken text": {parcel: Parcel{Kind: HandBackParcel, Service: "s", Instance: "own", Subscriber: "CLIENT", RequestID: envelope.Raw(`"1"`), Text: []byte(`{`)}, fails: true},
		"a client here is gone":      {parcel: Parcel{Kind: GoneParcel, Service: "s", Subscriber: "CLIENT"}},
		"people who are no JSON":     {parcel: Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(`{`)}, fails: true},
		"fewer people than none":     {parcel: Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(`{"people":[{"user":"a","connections":-1}]}`)}, fails: true},
		"a person without end":       {parcel: Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(`{"people":[{"user":"` + long + `","connections":1}]}`)}, fails: true},
		"people whom nobody tells":   {parcel: Parcel{Kind: PresenceParcel, Service: "s", Text: []byte(`{"all":true,"answer":true,"people":[{"user":"a","connections":1}]}`)}},
		"people of no name":          {parcel: Parcel{Kind: PresenceParcel, Service: "t", Text: []byte(`{"all":true}`)}},
		"nobody is gone":             {parcel: Parcel{Kind: GoneParcel, Service: "s"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.Instances = Balanced })
			s, p, member := w.service("s"), w.client(), w.client("s")
			p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
			id := s.asked(` s/x #"1" null`)
			r, n := w.remote("b")
			if err := r.Offered(Offered{Name: "s", ID: "own", Class: "own_class", Leaving: true}); err != nil {
				t.Fatal(err)
			}
			parcel := tt.parcel
			for _, text := range append([]*string{&parcel.Instance, &parcel.Subscriber}, pointers(parcel.Instances)...) {
				switch *text {
				case "CLIENT":
					*text = id
				case "SERVICE":
					w.look(w.deps.Registry.Lookup("s").Service.PID(), firstInstance(text))
				}
			}
			if err := r.Receive(&parcel); (err != nil) != tt.fails {
				t.Errorf("error %v, want one: %v", err, tt.fails)
			}
			w.settleName(p, "s")
			if sent := n.take(); (len(sent) == 1 && strings.HasPrefix(sent[0], fmt.Sprint(HandBackParcel))) != tt.back || len(sent) > 1 {
				t.Errorf("the node gets %q, want a hand-back: %v", sent, tt.back)
			}
			for _, p := range []*peer{s, p, member} {
				p.silent()
			}
			s.reply("1", id, "200")
			p.gets(`200 s/x #"1" 200`)
			if n := w.deps.Counters.Panics.Load(); n != 0 {
				t.Errorf("%d panics", n)
			}
		})
	}
}

func pointers(texts []string) (all []*string) {
	for i := range texts {
		all = append(all, &texts[i])
	}
	return all
}

// A node cannot speak for, answer or end the visitors of another node.
func TestNodesDoNotMeddle(t *testing.T) {
	w := newWorld(t)
	s, member := w.service("s"), w.client("s")
	var id string
	w.look(w.deps.Registry.Lookup("s").Service.PID(), firstInstance(&id))
	honest, hears := w.remote("b")
	liar, heard := w.remote("c")
	for _, r := range []*Remote{honest, liar} {
		if err := r.Offered(Offered{Name: "s", ID: "same", Class: "s_service"}); err != nil {
			t.Fatal(err)
		}
	}
	request := func() *Parcel {
		return &Parcel{Kind: AskParcel, Service: "s", Instances: []string{id}, Subscriber: "v", Left: time.Hour, Text: []byte(`{"service":"s","request_id":"1","resource_id":"w"}`)}
	}
	if err := honest.Receive(request()); err != nil {
		t.Fatal(err)
	}
	if got := s.asked(` s/ #"1" null`); got != "v" {
		t.Errorf("the request is of %q, want the visitor", got)
	}
	if err := liar.Receive(request()); err == nil {
		t.Error("a node may ask in the name of another one's client")
	}
	for _, p := range []*Parcel{
		{Kind: GoneParcel, Service: "s", Subscriber: "v"},
		{Kind: ReplyParcel, Service: "s", Instance: "same", Subscriber: "v", Text: []byte(`{"service":"s","request_id":"1"}`)},
		{Kind: HandBackParcel, Service: "s", Instance: "same", Subscriber: "v", RequestID: envelope.Raw(`"1"`)},
	} {
		if err := liar.Receive(p); err != nil {
			t.Error(err)
		}
	}
	w.settleName(s, "s")
	if sent := hears.take(); len(sent) != 0 {
		t.Errorf("the visitor's node gets %q, want nothing", sent)
	}
	if sent := heard.take(); len(sent) != 1 || sent[0] != fmt.Sprint(HandBackParcel, " ", id) {
		t.Errorf("the other node gets %q, want its request back", sent)
	}
	s.reply("1", "v", "200")
	w.settleName(s, "s")
	if sent := hears.take(); len(sent) != 1 || sent[0] != fmt.Sprint(ReplyParcel, " ", id) {
		t.Errorf("the visitor's node gets %q, want the reply", sent)
	}
	s.silent()
	member.silent()
}

// A visitor's request has the time that its node says, but no more than a request of this node.
func TestTimeOfAVisitorsRequest(t *testing.T) {
	w := newWorld(t)
	l, peer := w.local("s")
	r, _ := w.remote("b")
	whole := w.deps.settings().RequestTimeout
	for left, want := range map[time.Duration]time.Duration{-time.Second: 0, time.Second: time.Second, 24 * time.Hour: whole} {
		p := &Parcel{Kind: AskParcel, Service: "s", Instances: []string{peer.ID}, Subscriber: "v", Left: left, Text: []byte(`{"service":"s"}`)}
		if err := r.Receive(p); err != nil {
			t.Fatal(err)
		}
		request := l.next(t)
		request.Release()
		if got := request.Deadline.Sub(w.clock.Now()); got != want {
			t.Errorf("%v are left: the service has %v, want %v", left, got, want)
		}
	}
}

// Offers that cannot be are refused, and one that changes takes the place of what was.
func TestOffersOfANode(t *testing.T) {
	w := newWorld(t)
	r, n := w.remote("b")
	long := strings.Repeat("x", longestName+1)
	for _, o := range []Offered{{ID: "i"}, {Name: "s"}, {Name: long, ID: "i"}, {Name: "s", ID: "i", Policy: &policy.Policy{Scopes: []policy.Scope{{To: "nowhere"}}}}} {
		if err := r.Offered(o); err == nil {
			t.Errorf("%.20s %.20s is taken", o.Name, o.ID)
		}
	}
	if w.deps.Registry.Lookup("s") != nil {
		t.Error("a name is known that nobody offers")
	}
	p := w.client()
	ask := func() (parcels int) {
		p.writef(`{"service":"s"}`)
		w.settleName(p, "s")
		return len(n.take())
	}
	for _, step := range []struct {
		name  string
		offer Offered
		takes int
	}{
		{"offered", Offered{Name: "s", ID: "i", Class: "a"}, 1},
		{"again", Offered{Name: "s", ID: "i", Class: "a"}, 1},
		{"of another class", Offered{Name: "s", ID: "i", Class: "b"}, 1},
		{"leaving", Offered{Name: "s", ID: "i", Class: "b", Leaving: true}, 0},
		{"back", Offered{Name: "s", ID: "i", Class: "b"}, 1},
		{"inside", Offered{Name: "s", ID: "i", Class: "b", Inside: true, Everywhere: true}, 1},
	} {
		if err := r.Offered(step.offer); err != nil {
			t.Fatal(err)
		}
		if got := ask(); got != step.takes {
			t.Errorf("%s: %d requests, want %d", step.name, got, step.takes)
		}
	}
	r.Withdrawn("s", "i")
	r.Withdrawn("s", "i")
	r.Unwatched("s")
	w.settle(w.router.PID())
	if w.deps.Registry.Lookup("s") != nil {
		t.Error("a name is known that nobody offers any more")
	}
}

// Receive waits while what the node has said is under way up to the bound.
func TestNodeIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.NodeBytes = 100 })
	member := w.client("s")
	r, _ := w.remote("b")
	if err := r.Offered(Offered{Name: "s", ID: "i", Class: "s_service"}); err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	w.settleName(member, "s")
	member.socket.hook(func() {
		entered <- struct{}{}
		<-leave
	})
	received := make(chan int, 10)
	go func() {
		for i := range 4 {
			if err := r.Receive(&Parcel{Kind: BroadcastParcel, Service: "s", Instance: "i", Text: fmt.Appendf(nil, `{"service":"s","payload":"%040d"}`, i)}); err != nil {
				t.Error(err)
			}
			received <- i
		}
	}()
	await(t, "the first broadcast", entered)
	<-received
	leave <- struct{}{}
	for range 3 {
		await(t, "a broadcast", entered)
		if n := len(received); n > 1 {
			t.Errorf("%d more were received although the first of them is under way", n)
		}
		<-received
		leave <- struct{}{}
	}
	for i := range 4 {
		member.gets(fmt.Sprintf(` s/ #"" "%040d"`, i))
	}
	if used := r.window.Used(); used != 0 {
		t.Errorf("%d bytes under way", used)
	}
}

// gate blocks a topic while it is locked.
type gate struct{ sync.Mutex }

func (g *gate) pass() {
	g.Lock()
	g.Unlock() //nolint:staticcheck // it waits
}

// TestOrderAcrossNodes has one service say anything in any order while links and topics stand still or go on. Each
// subscriber gets what is for it in the order in which the service said it, on both nodes.
func TestOrderAcrossNodes(t *testing.T) {
	c := newCluster(t, 2)
	c.change(func(s *Settings) { s.PendingRequests = 1000 })
	a, b := c.nodes[0], c.nodes[1]
	s := b.service("s")
	listeners := []*peer{a.client("s"), a.client("s"), b.client("s"), a.client()}
	const members = 3
	ids := make([]string, len(listeners))
	for i, p := range listeners {
		ids[i] = p.answered(s)
	}
	var gates [2]gate
	for i, n := range c.nodes {
		for _, g := range n.egress.all() {
			g.hook(gates[i].pass)
		}
	}
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		want := make([][]string, len(listeners))
		held, blocked := false, [2]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			number++
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				s.writef(`{"service":"s","topic":"b","payload":%d}`, number)
				for i := range members {
					want[i] = append(want[i], fmt.Sprintf(` s/b #"" %d`, number))
				}
			case 2:
				i := rapid.IntRange(0, len(listeners)-1).Draw(t, "asker")
				listeners[i].writef(`{"service":"s","topic":"r","request_id":"r%d"}`, number)
				s.asked(fmt.Sprintf(` s/r #"r%d" null`, number))
				for range rapid.IntRange(1, 2).Draw(t, "replies") {
					s.writef(`{"service":"s","topic":"r","request_id":"r%d","resource_id":%q,"payload":%d}`, number, ids[i], number)
					want[i] = append(want[i], fmt.Sprintf(` s/r #"r%d" %d`, number, number))
				}
			case 3:
				i := rapid.IntRange(0, len(listeners)-1).Draw(t, "one")
				s.writef(`{"service":"s","topic":"o","resource_id":%q,"payload":%d}`, ids[i], number)
				want[i] = append(want[i], fmt.Sprintf(` s/o #"" %d`, number))
			case 4:
				held = !held
				b.link(a).hold(held)
			case 5:
				i := rapid.IntRange(0, 1).Draw(t, "node")
				if blocked[i] = !blocked[i]; blocked[i] {
					gates[i].Lock()
				} else {
					gates[i].Unlock()
				}
			}
		}
		b.link(a).hold(false)
		for i := range gates {
			if blocked[i] {
				gates[i].Unlock()
			}
		}
		for i, p := range listeners {
			p.gets(want[i]...)
		}
	})
	c.settle("s")
	for _, p := range listeners {
		p.silent()
	}
}

// FuzzReceive has a node send anything. No actor panics, and nobody gets anything in the name of a service that the
// node does not offer.
func FuzzReceive(f *testing.F) {
	w := newWorld(f)
	s, member := w.service("s"), w.client("s", "t")
	member.answered(s)
	r, _ := w.remote("b")
	for _, o := range []Offered{{Name: "t", ID: "own", Class: "own_class"}, {Name: "u", ID: "own", Inside: true, Everywhere: true}} {
		if err := r.Offered(o); err != nil {
			f.Fatal(err)
		}
	}
	for kind := range uint8(WillParcel) + 2 {
		f.Add(kind, "s", "own", "v", []byte(`"1"`), []byte(`{"service":"s","request_id":"1"}`))
		f.Add(kind, "t", "own", "v", []byte(`[]`), []byte(`{"service":"t","topic":7,"resource_id":"v","permissions":{"a":true}}`))
		f.Add(kind, "u", "own", "k", []byte(`"1"`), []byte(`{"service":"u","request_id":"1","status_code":404}`))
		f.Add(kind, "t", "other", "", []byte(`[`), []byte(`{"service":"t","request_id":{},"status_code":500}`))
	}
	f.Fuzz(func(t *testing.T, kind uint8, service, instance, subscriber string, id, text []byte) {
		_ = r.Receive(&Parcel{
			Kind: ParcelKind(kind), Service: service, Instance: instance, Instances: []string{instance, ""}, Subscriber: subscriber,
			RequestID: id, Text: text, Open: len(id)%2 == 0, Busy: len(text)%2 == 0, Passed: len(id)%3 == 0, Key: subscriber, Part: PartKind(len(id) % 4), Left: time.Duration(len(text)-50) * time.Second,
		})
		for _, name := range []string{"s", "t", "u"} {
			route := w.deps.Registry.Lookup(name)
			settle(t, w.deps, route.Service.PID())
			settle(t, w.deps, route.Topic.PID())
		}
		if n := w.deps.Counters.Panics.Load(); n != 0 {
			t.Errorf("%d panics", n)
		}
		if len(s.socket.written) > 0 {
			t.Errorf("the service got %s", take(s))
		}
		for len(member.socket.written) > 0 {
			m, err := envelope.Decode(take(member), envelope.MaxDepth)
			if err != nil {
				t.Fatal(err)
			}
			if name, _ := envelope.Name(m.ServiceName); name != "t" || instance != "own" {
				t.Errorf("the member got %s", line(m))
			}
		}
	})
}
