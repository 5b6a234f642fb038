package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/filter"
)

func TestExplainOfTopic(t *testing.T) {
	w := under(t, salaries)
	p := w.user("a.x")
	var peer *Peer
	w.look(p.pid, func(a actor.Actor) { peer = a.(*connection).peer })
	ask := func(id string) *Explained {
		t.Helper()
		m := &Explain{Subscriber: id, Topic: "t", Payload: []byte(`{"d":"a.x","salary":1}`)}
		result, err := w.deps.System.Root.RequestFuture(w.deps.Registry.Lookup("s").Topic.PID(), m, patience).Result()
		if err != nil {
			t.Fatal(err)
		}
		return result.(*Explained)
	}
	if e := ask(peer.ID); !e.Member || len(e.Accounts) != 0 {
		t.Errorf("without an instance: %+v", e)
	}
	s := w.service("s")
	if e := ask("nobody"); e.Member || len(e.Accounts) != 0 {
		t.Errorf("of nobody: %+v", e)
	}
	e := ask(peer.ID)
	if !e.Member || len(e.Accounts) != 1 || e.Accounts[0].Class != "s_service" || e.Accounts[0].Source != FromSettings || e.Accounts[0].Policy != "s_service" || string(e.Accounts[0].Payload) != `{"d":"a.x"}` {
		t.Errorf("got %+v", e)
	}
	w.govern(`s_service: {require: [x]}`)
	if e := ask(peer.ID); len(e.Accounts) != 1 || e.Accounts[0].Verdict != filter.Drop {
		t.Errorf("after a reload: %+v", e)
	}
	s.silent()
}
