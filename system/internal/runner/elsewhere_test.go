package runner

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// others notes what a request asks of other nodes.
type others struct {
	alone   bool
	told    chan string
	answers []service.Answer
}

func (o *others) Alone() bool { return o.alone }

func (o *others) Pass(reply *envelope.Envelope)   { o.told <- "pass " + statusOf(reply) }
func (o *others) Refuse(reply *envelope.Envelope) { o.told <- "refuse " + statusOf(reply) }
func (o *others) Share()                          { o.told <- "share" }

func (o *others) Gather(within time.Duration, take func([]service.Answer)) {
	o.told <- "gather " + within.String()
	take(o.answers)
}

func statusOf(reply *envelope.Envelope) string {
	if reply == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s %s", reply.StatusCode, reply.Payload)
}

func (r *rig) askPart(part Part, to Elsewhere, id, topic string) {
	e := &envelope.Envelope{ServiceName: r.instance.name, Topic: envelope.QuoteString(topic), ResourceID: envelope.QuoteString("sub"), RequestID: envelope.Raw(id)}
	r.instance.Ask(&Ask{Envelope: e, Part: part, Elsewhere: to})
}

// TestElsewhere has a service ask for what other nodes know. What is said comes first, then what the other nodes are told.
func TestElsewhere(t *testing.T) {
	missing := func(r service.Request) error { r.Pass(); return service.Errorf(404, "not here") }
	list := func(r service.Request) error {
		r.Stream("row", r.Part())
		r.Share()
		r.Share()
		r.End()
		return nil
	}
	gather := func(r service.Request) error {
		r.Gather(func(answers []service.Answer) { r.Reply(len(answers)) })
		return nil
	}
	tests := map[string]struct {
		handle     func(r service.Request) error
		part       Part
		elsewhere  *others // nil: one node
		said, told []string
	}{
		"pass on one node":            {missing, Whole, nil, []string{`"1" 404 x {"reason":"not here"}`}, nil},
		"pass":                        {missing, Whole, &others{}, nil, []string{`pass 404 {"reason":"not here"}`}},
		"pass alone":                  {missing, Whole, &others{alone: true}, nil, []string{`pass 404 {"reason":"not here"}`}},
		"pass of an added part":       {missing, Shared, &others{}, nil, []string{"pass nothing"}},
		"pass of a gathered part":     {missing, Gathered, &others{}, nil, []string{`pass 404 {"reason":"not here"}`}},
		"pass without an answer":      {func(r service.Request) error { r.Pass(); r.End(); return nil }, Whole, &others{}, nil, []string{"pass nothing"}},
		"error":                       {func(service.Request) error { return service.Errorf(404, "no") }, Whole, &others{}, []string{`"1" 404 x {"reason":"no"}`}, nil},
		"error of an added part":      {func(service.Request) error { return errors.New("no") }, Shared, &others{}, nil, []string{"pass nothing"}},
		"error of a gathered part":    {func(service.Request) error { return service.Errorf(404, "no") }, Gathered, &others{}, []string{`"1" 404 x {"reason":"no"}`}, nil},
		"no answer to a whole":        {func(r service.Request) error { r.End(); return nil }, Whole, &others{}, nil, nil},
		"no answer to a gathered":     {func(r service.Request) error { r.End(); return nil }, Gathered, &others{}, nil, []string{"pass nothing"}},
		"share on one node":           {list, Whole, nil, []string{`"1" 200 row false`}, nil},
		"share alone":                 {list, Whole, &others{alone: true}, []string{`"1" 200 row false`}, nil},
		"share":                       {list, Whole, &others{}, []string{`"1" 200 row false`}, []string{"share"}},
		"share of an added part":      {list, Shared, &others{}, []string{`"1" 200 row true`}, []string{"pass nothing"}},
		"share after pass":            {func(r service.Request) error { r.Pass(); r.Reply(1); r.Share(); return nil }, Whole, &others{}, nil, []string{"pass 200 1"}},
		"share after the answer":      {func(r service.Request) error { r.Reply(1); r.Share(); return nil }, Whole, &others{}, []string{`"1" 200 x 1`}, []string{"share"}},
		"gather on one node":          {gather, Whole, nil, []string{`"1" 200 x 0`}, nil},
		"gather alone":                {gather, Whole, &others{alone: true}, []string{`"1" 200 x 0`}, nil},
		"gather":                      {gather, Whole, &others{answers: make([]service.Answer, 2)}, []string{`"1" 200 x 2`}, []string{"gather 2s"}},
		"gather of a gathered part":   {gather, Gathered, &others{}, []string{`"1" 200 x 0`}, nil},
		"crash":                       {func(service.Request) error { panic("test") }, Whole, &others{}, []string{`"1" 500 x null`}, nil},
		"crash in an added part":      {func(service.Request) error { panic("test") }, Shared, &others{}, nil, []string{"pass nothing"}},
		"alone on one node":           {func(r service.Request) error { r.Reply(r.Alone()); return nil }, Whole, nil, []string{`"1" 200 x true`}, nil},
		"alone in a cluster":          {func(r service.Request) error { r.Reply(r.Alone()); return nil }, Whole, &others{}, []string{`"1" 200 x false`}, nil},
		"alone where others have not": {func(r service.Request) error { r.Reply(r.Alone()); return nil }, Whole, &others{alone: true}, []string{`"1" 200 x true`}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := start(t, &service.Service{Setup: func(s service.Setup) error {
				s.Handle("x", test.handle)
				s.Handle("ping", pong)
				return nil
			}})
			var to Elsewhere
			told := make(chan string, 8)
			if test.elsewhere != nil {
				test.elsewhere.told = told
				to = test.elsewhere
			}
			r.askPart(test.part, to, `"1"`, "x")
			r.want(test.said...)
			for _, want := range test.told {
				if got := await(t, told); got != want {
					t.Errorf("other nodes are told %q, want %q", got, want)
				}
			}
			r.ping() // which is answered after all that the request may still say
			r.quiet()
			if len(told) > 0 {
				t.Errorf("other nodes are told %q too", <-told)
			}
		})
	}
}

// TestRefusedElsewhere has a service without room for more requests leave one to other nodes.
func TestRefusedElsewhere(t *testing.T) {
	r := start(t, &service.Service{Limits: service.Limits{Open: 1}, Setup: func(s service.Setup) error {
		s.Handle("x", func(service.Request) error { return nil })
		return nil
	}})
	r.ask("x", "")
	r.open(1)
	to := &others{told: make(chan string, 8)}
	r.askPart(Whole, to, `"9"`, "x")
	if got, want := await(t, to.told), `refuse 503 {"retry_after":1}`; got != want {
		t.Errorf("other nodes are told %q, want %q", got, want)
	}
	r.askPart(Shared, to, `"10"`, "x")
	if got, want := await(t, to.told), "pass nothing"; got != want {
		t.Errorf("other nodes are told %q of a part, want %q", got, want)
	}
	r.quiet()
}

// TestGatherWithoutFunction is a mistake, and the request stays open.
func TestGatherWithoutFunction(t *testing.T) {
	r := start(t, &service.Service{Setup: func(s service.Setup) error {
		s.Handle("x", func(r service.Request) error { r.Gather(nil); r.Reply(1); return nil })
		return nil
	}})
	r.want(r.ask("x", "") + ` 200 x 1`)
	if n := r.instance.Counters().Mistakes.Load(); n != 1 {
		t.Errorf("%d mistakes are counted, want 1", n)
	}
}

// clustered is a rig in a cluster.
type clustered struct {
	*rig
	told chan string
}

func (c *clustered) SayHere(e *envelope.Envelope) { c.told <- "here " + string(e.Payload) }

func (c *clustered) Will(key string, e *envelope.Envelope) {
	if e == nil {
		c.told <- "no will " + key
		return
	}
	c.told <- fmt.Sprintf("will %s %s %s", key, e.Topic, e.Payload)
}

// TestWordsForOtherNodes has a service speak to this node's subscribers alone, and to others when they lose this node.
func TestWordsForOtherNodes(t *testing.T) {
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("x", func(r service.Request) error {
			r.BroadcastHere("here", 1)
			r.Will("k", "gone", 2)
			r.Will("k", "gone", nil)
			r.Will("k", "gone", make(chan int))
			r.Will("", "gone", 3)
			r.Reply(nil)
			return nil
		})
		return nil
	}}
	t.Run("one node", func(t *testing.T) {
		r := start(t, s)
		id := r.ask("x", "")
		r.want("here 1", id+" 200 x null")
	})
	t.Run("cluster", func(t *testing.T) {
		told := make(chan string, 8)
		r := newRigIn(t, s, func(r *rig) Home { return &clustered{r, told} })
		r.run()
		r.state("up")
		r.want(r.ask("x", "") + " 200 x null")
		for _, want := range []string{"here 1", `will k "gone" 2`, "no will k"} {
			if got := await(t, told); got != want {
				t.Errorf("other nodes are told %q, want %q", got, want)
			}
		}
		if len(told) > 0 {
			t.Errorf("other nodes are told %q too", <-told)
		}
		c := r.instance.Counters()
		if c.Mistakes.Load() != 1 || c.Unencoded.Load() != 1 {
			t.Errorf("%d mistakes, %d not encoded, want 1 each", c.Mistakes.Load(), c.Unencoded.Load())
		}
	})
}

// TestJoin tells a service of nodes that join, also of one that has joined before the service was up, or before it has
// started again.
func TestJoin(t *testing.T) {
	begin := make(chan struct{})
	r := newRig(t, &service.Service{Setup: func(s service.Setup) error {
		<-begin
		s.OnJoin(func(c service.Context) { c.Broadcast("all", nil) })
		s.Handle("crash", func(service.Request) error { panic("test") })
		s.Handle("ping", pong)
		return nil
	}})
	r.instance.Joined()
	r.run()
	close(begin)
	r.state("up")
	r.want("all null")
	r.ping()
	r.quiet()
	r.instance.Joined()
	r.want("all null")
	r.want(r.ask("crash", "") + " 500 crash null")
	r.state("restarting", "up")
	r.want("all null")
}
