package runtime

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// BenchmarkMailboxHop is one message to an actor that waits for it, and the way back.
func BenchmarkMailboxHop(b *testing.B) {
	r, _ := newRuntime(b, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	message := new(harmless)
	ref := Spawn[toFragile](r, "hop", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*harmless); ok {
				done <- struct{}{}
			}
		})
	})
	b.ReportAllocs()
	for b.Loop() {
		ref.Send(message)
		<-done
	}
	r.System.Root.Stop(ref.PID())
	ended(b, r, ref.PID())
}

// BenchmarkMailboxStream is one message of many that a busy actor handles.
func BenchmarkMailboxStream(b *testing.B) {
	r, _ := newRuntime(b, slog.New(slog.DiscardHandler))
	message, count := new(harmless), 0
	ref := Spawn[toFragile](r, "stream", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*harmless); ok {
				count++
			}
		})
	})
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		ref.Send(message)
		if sent++; sent%burst == 0 {
			settle(b, r, ref.PID())
		}
	}
	settle(b, r, ref.PID())
	if count != sent {
		b.Fatalf("%d of %d messages came", count, sent)
	}
	r.System.Root.Stop(ref.PID())
	ended(b, r, ref.PID())
}

// barrier is a message that any actor answers once it has handled all before it.
type barrier struct{ passed chan struct{} }

func (b *barrier) AutoReceiveMessage() {}

func (b *barrier) GetAutoResponse(actor.Context) any {
	close(b.passed)
	return nil
}

// settle returns when pid has handled all that was sent to it before.
func settle(t testing.TB, r *Runtime, pid *actor.PID) {
	t.Helper()
	b := &barrier{make(chan struct{})}
	r.System.Root.Send(pid, b)
	await(t, "barrier at "+pid.Id, b.passed)
}
