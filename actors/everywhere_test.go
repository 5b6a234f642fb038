package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

func (n *node) speak(from *Peer, e *envelope.Envelope) {
	n.deps.Speak(from, e, new(runtime.Window), 1)
}

// Those to whom a request was passed may all answer, in several messages, and one of which the asker may see nothing
// counts as no answer of all.
func TestPartsThatAllAnswer(t *testing.T) {
	c := newCluster(t, 3)
	c.change(func(s *Settings) {
		s.Policies = policies(t, `s: {topic_permissions: {secret: [nobody has it]}, streams: [secret]}`)
	})
	a := c.nodes[0]
	list := parts(t, c, 0, 1, 2)
	p := a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	list[0].gets(WholeRequest).Pass(nil)
	first, second := list[1].gets(WholeRequest), list[2].gets(WholeRequest)
	say := func(s *partService, r *Request, topic string) {
		e := answerTo(r, `null`)
		e.Topic, e.StatusCode = envelope.QuoteString(topic), envelope.Raw(`200`)
		s.node.speak(s.peer, e)
		c.settle("s")
	}
	say(list[1], first, "secret")
	p.silent()
	say(list[1], first, "row")
	say(list[2], second, "row")
	say(list[2], second, "row")
	p.gets(`200 s/row #"1" null`, `200 s/row #"1" null`, `200 s/row #"1" null`)
	a.measured("s", meter.Answered, 1, 0)
	a.measured("s", meter.Filtered, 0, 0)
	a.world.look(a.deps.Registry.Lookup("s").Service.PID(), func(of actor.Actor) {
		for _, i := range of.(*service).instances {
			if i.open != 0 {
				t.Errorf("an instance has %d requests open, want none", i.open)
			}
		}
	})
	if n := pendingOf(a, "s"); n != 0 {
		t.Errorf("%d requests are pending, want none", n)
	}
}

// Whoever has had an answer is not told that another node, which was asked too, is gone.
func TestNodeIsGoneAfterAnotherHasAnswered(t *testing.T) {
	for name, reply := range map[string]func(*Request) *envelope.Envelope{
		"with a last resort": func(r *Request) *envelope.Envelope { return status(r, "404") },
		"without one":        func(*Request) *envelope.Envelope { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := inMode(t, 3, Failover)
			list := parts(t, c, 0, 1, 2)
			p := c.nodes[0].client()
			p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
			r := list[0].gets(WholeRequest)
			r.Pass(reply(r))
			list[1].says(list[1].gets(WholeRequest), "1")
			list[2].gets(WholeRequest)
			p.gets(` s/x #"1" 1`)
			c.part(c.nodes[0], c.nodes[2])
			c.settle("s")
			p.silent()
			list[0].idle()
			if n := pendingOf(c.nodes[0], "s"); n != 0 {
				t.Errorf("%d requests are pending, want none", n)
			}
		})
	}
}

// A service inside that has all of the answer is asked on one node, its own first.
func TestSameServiceInsideSeveralNodes(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	far, _ := b.local("s")
	c.settle("s")
	p := a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	far.next(t).Release()
	here, speaker := a.local("s")
	c.settle("s")
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	r := here.next(t)
	a.speak(speaker, answerTo(r, `2`))
	r.Release()
	p.gets(` s/x #"2" 2`)
	c.settle("s")
	if len(far.asked) > 0 {
		t.Error("both nodes were asked")
	}
}

// A service inside any node makes all others of its name passive (protocol 11.15), wherever they are.
func TestNameTakenInsideAnotherNode(t *testing.T) {
	c := inMode(t, 3, All)
	a, b := c.nodes[0], c.nodes[1]
	here, far := a.service("s"), c.nodes[2].service("s")
	inside, _ := b.local("s")
	c.settle("s")
	p := a.client("s")
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	inside.next(t).Release()
	for _, s := range []*peer{here, far} {
		s.writef(`{"service":"s","topic":"news"}`)
	}
	c.settle("s")
	here.silent()
	far.silent()
	p.silent()
	a.wantDead(ForeignName, 1)
	c.nodes[2].wantDead(ForeignName, 1)
}
