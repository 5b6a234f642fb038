package supervisor_test

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/supervisor"
)

// greeter greets, and panics when there is nobody to greet.
type greeter struct{}

func (greeter) Receive(ctx actor.Context) {
	name, ok := ctx.Message().(string)
	switch {
	case ok && name == "":
		panic("nobody there")
	case ok:
		ctx.Respond("hello " + name)
	}
}

func ExampleNew() {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	started := make(chan *actor.PID, 1)
	props, err := supervisor.New(supervisor.Options{
		Children: []supervisor.Spec{{
			Name:  "greeter",
			Props: actor.PropsFromProducer(func() actor.Actor { return greeter{} }),
		}},
		Observe: func(e supervisor.Event) {
			switch e := e.(type) {
			case *supervisor.ChildStarted:
				started <- e.PID
			case *supervisor.ChildFailed:
				fmt.Println("failed:", e.Reason)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	root := system.Root.Spawn(props)
	pid := <-started

	system.Root.Send(pid, "")
	answer, err := system.Root.RequestFuture(pid, "world", time.Minute).Result()
	fmt.Println(answer, err)

	_, err = system.Root.RequestFuture(root, &supervisor.Shutdown{}, time.Minute).Result()
	fmt.Println("shut down:", err)
	// Output:
	// failed: nobody there
	// hello world <nil>
	// shut down: <nil>
}
