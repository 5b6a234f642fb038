package introspect

import (
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/supervisor"
)

const patience = 2 * time.Minute

// fragile panics at a string and answers anything else.
type fragile struct{}

func (fragile) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string:
		panic(m)
	case int:
		ctx.Respond(m)
	}
}

// After all kinds of failures the tree says of each child what its supervisor says.
func TestTreeAgreesWithSupervisor(t *testing.T) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	tree := NewTree(TreeOptions{})
	up := make(chan *actor.PID, 100)
	props := actor.PropsFromProducer(func() actor.Actor { return fragile{} })
	parent, err := supervisor.New(supervisor.Options{
		Children: []supervisor.Spec{
			{Name: "sound", Props: props},
			{Name: "fragile", Props: props, Breaker: &supervisor.Breaker{CoolDown: time.Hour}},
		},
		Backoff: time.Nanosecond,
		Observe: func(e supervisor.Event) {
			tree.Observe("root", e)
			switch e := e.(type) {
			case *supervisor.ChildStarted:
				up <- e.PID
			case *supervisor.ChildUp:
				up <- e.PID
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	root := system.Root.Spawn(parent)
	ask := func(message any) any {
		answer, err := system.Root.RequestFuture(root, message, patience).Result()
		if err != nil {
			t.Fatalf("%T: %v", message, err)
		}
		return answer
	}
	<-up
	pid := <-up
	// Three failures are followed by a restart, the fourth opens the breaker.
	for i := range 4 {
		system.Root.Send(pid, "boom")
		if i < 3 {
			pid = <-up
			if _, err := system.Root.RequestFuture(pid, 1, patience).Result(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var said *supervisor.Snapshot
	deadline := time.Now().Add(patience)
	for said = ask(&supervisor.Inspect{}).(*supervisor.Snapshot); said.Children[1].Breaker != supervisor.Open; {
		if time.Now().After(deadline) {
			t.Fatal("the breaker does not open")
		}
		said = ask(&supervisor.Inspect{}).(*supervisor.Snapshot)
	}
	shown := tree.Snapshot()
	for i, want := range said.Children {
		got := shown.Children[i]
		state := map[supervisor.State]State{supervisor.Running: Running, supervisor.Waiting: Waiting, supervisor.Restarting: Waiting}[want.State]
		if got.Name != want.Name || got.Generation != want.Generation || got.Restarts != want.Restarts ||
			got.Failures != want.Failures || string(got.Breaker) != want.Breaker.String() || got.State != state {
			t.Errorf("the tree says %s, the supervisor %+v", text(t, got), want)
		}
	}
	ask(&supervisor.Shutdown{})
	// The breaker's cool-down was under way: nobody reports the end of a child that did not run.
	if got := outline(tree.Snapshot()); got != "root running [sound stopped, fragile waiting]" {
		t.Errorf("after the shutdown: %s", got)
	}
}
