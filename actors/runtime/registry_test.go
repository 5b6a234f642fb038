package runtime

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// TestRegistryIsCompact: the table of actors is small, and knows those that were there before it shrank.
func TestRegistryIsCompact(t *testing.T) {
	silent := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return silent }))
	defer system.Shutdown()
	heard := make(chan string, 200)
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		if text, ok := ctx.Message().(string); ok {
			heard <- text
		}
	})
	var all []*actor.PID
	for range 100 {
		all = append(all, system.Root.Spawn(props))
	}
	New(system, clock.Wall{}, silent)
	New(system, clock.Wall{}, silent)
	if n := len(system.ProcessRegistry.LocalPIDs.LocalPIDs); n != registryBuckets {
		t.Errorf("%d buckets, want %d", n, registryBuckets)
	}
	if _, ok := system.ProcessRegistry.GetLocal("eventstream"); !ok {
		t.Error("the library's own process is gone")
	}
	for range 100 {
		all = append(all, system.Root.Spawn(props))
	}
	for _, pid := range all {
		system.Root.Send(actor.NewPID(pid.Address, pid.Id), pid.Id) // looked up by name
		if got := <-heard; got != pid.Id {
			t.Errorf("%s was found for %s", got, pid.Id)
		}
	}
	for _, pid := range all {
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		if _, ok := system.ProcessRegistry.GetLocal(pid.Id); ok {
			t.Errorf("%s is known after its end", pid.Id)
		}
	}
}
