package actors

import (
	"fmt"
	"testing"

	"strowger/actors/runtime"
)

const (
	leavingMessage = `{"service":"authentication","topic":"leaving","request_id":"bye"}`
	leavingAnswer  = `200 authentication/authenticated #"bye" null`
)

func (p *peer) reply(id, resource, code string) {
	p.w.t.Helper()
	p.writef(`{"service":"s","topic":"x","request_id":%q,"resource_id":%q,"status_code":%s,"payload":%s}`, id, resource, code, code)
}

func everyMode(t *testing.T, f func(t *testing.T, w *world, mode Instances)) {
	for mode, name := range []string{All: "all", Balanced: "balanced", Failover: "failover"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.Instances = Instances(mode); s.PendingRequests = 100 })
			f(t, w, Instances(mode))
		})
	}
}

// protocol 5.9: an instance that is leaving gets the answer after its last request, and no request after
// the answer. It may still reply and broadcast.
func TestLeavingInstanceGetsNoRequests(t *testing.T) {
	everyMode(t, func(t *testing.T, w *world, mode Instances) {
		p, first := w.client("s"), w.service("s")
		p.writef(`{"service":"s","topic":"x","request_id":"0"}`)
		id := first.asked(` s/x #"0" null`)
		second := w.service("s")
		first.writef(leavingMessage)
		first.gets(leavingAnswer)
		for i := 1; i <= 5; i++ {
			p.writef(`{"service":"s","topic":"x","request_id":"%d"}`, i)
			second.asked(fmt.Sprintf(` s/x #"%d" null`, i))
		}
		first.reply("0", id, "200")
		first.writef(`{"service":"s","topic":"news"}`)
		p.gets(`200 s/x #"0" 200`, ` s/news #"" null`)
		w.gone(first)
		w.settleName(p, "s")
		first.silent()
		p.silent()
	})
}

// The 503 by which an instance ends in good order is no better than the end of one that dies: where
// another instance has the request, or gets it, the asker hears of nothing but the answer.
func TestLeavingInstanceHandsBack(t *testing.T) {
	everyMode(t, func(t *testing.T, w *world, mode Instances) {
		p, first := w.client(), w.service("s")
		var second *peer
		if mode == All {
			second = w.service("s")
		}
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		id := first.asked(` s/x #"1" null`)
		if mode == All {
			second.asked(` s/x #"1" null`)
		} else {
			second = w.service("s")
		}
		first.writef(leavingMessage)
		first.gets(leavingAnswer)
		first.reply("1", id, "503")
		w.settleName(first, "s")
		if mode == Balanced {
			p.gets(`503 s/x #"1" null`)
			return
		}
		if mode == Failover {
			second.asked(` s/x #"1" null`)
		}
		p.silent()
		second.reply("1", id, "200")
		p.gets(`200 s/x #"1" 200`)
		w.gone(first)
		w.settleName(p, "s")
		p.silent()
	})
}

// What a leaving instance has not answered when its connection ends is treated as if it had died.
func TestLeavingInstanceDies(t *testing.T) {
	everyMode(t, func(t *testing.T, w *world, mode Instances) {
		p, first := w.client(), w.service("s")
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		id := first.asked(` s/x #"1" null`)
		second := w.service("s")
		first.writef(leavingMessage)
		first.gets(leavingAnswer)
		w.gone(first)
		if mode != Failover {
			p.gets(`503 s/x #"1" null`)
			return
		}
		second.asked(` s/x #"1" null`)
		second.reply("1", id, "200")
		p.gets(`200 s/x #"1" 200`)
	})
}

// A 503 of an instance that stays is an answer like any other.
func TestServingInstanceAnswers503(t *testing.T) {
	everyMode(t, func(t *testing.T, w *world, mode Instances) {
		p, s := w.client(), w.service("s")
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		s.reply("1", s.asked(` s/x #"1" null`), "503")
		p.gets(`503 s/x #"1" 503`)
	})
}

// While the last instance is leaving, requests get 503. Once it has left, nobody serves the name.
func TestLastInstanceLeaves(t *testing.T) {
	everyMode(t, func(t *testing.T, w *world, mode Instances) {
		p, s := w.client("s"), w.service("s")
		s.writef(leavingMessage)
		s.gets(leavingAnswer)
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		p.gets(`503 s/x #"1" null`)
		p.writef(`{"service":"s","topic":"x"}`)
		w.settleName(p, "s")
		p.silent()
		s.silent()
		w.gone(s)
		p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
		w.settleName(p, "s")
		p.silent()
		w.wantDead(UnknownService, 3)
	})
}

// The message is a service's. Of a client it is an authentication too many, and so it is with a token.
func TestWhoCannotLeave(t *testing.T) {
	w := newWorld(t)
	p, s := w.client(), w.service("s")
	p.writef(leavingMessage)
	p.gets(leavingAnswer)
	s.writef(`{"service":"authentication","topic":"leaving","request_id":"bye","token":{"name":"n","hash":"h"}}`)
	s.gets(leavingAnswer)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	s.reply("1", s.asked(` s/x #"1" null`), "200")
	p.gets(`200 s/x #"1" 200`)
}

// A reply without resource_id is handed back as well.
func TestLeavingInstanceHandsBackWithoutResource(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.Instances, s.RepliesWithoutResource = Failover, true })
	p, first := w.client(), w.service("s")
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := first.asked(` s/x #"1" null`)
	second := w.service("s")
	first.writef(leavingMessage)
	first.gets(leavingAnswer)
	first.reply("1", "", "503")
	second.asked(` s/x #"1" null`)
	second.reply("1", id, "200")
	p.gets(`200 s/x #"1" 200`)
}

// A passive instance may leave too, and its name stays served inside.
func TestPassiveInstanceLeaves(t *testing.T) {
	w := newWorld(t)
	l, speaker := w.local("s")
	twin, p := w.service("s"), w.client()
	twin.writef(leavingMessage)
	twin.gets(leavingAnswer)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := l.next(t)
	w.deps.Speak(speaker, answerTo(r, `1`), new(runtime.Window), 1)
	r.Release()
	p.gets(` s/x #"1" 1`)
}
