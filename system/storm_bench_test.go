package system

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

// calm is shaky without the panics.
func calm(name string) *service.Service {
	return &service.Service{
		Name:   name,
		Policy: service.Everyone(),
		Setup: func(s service.Setup) error {
			s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
			return nil
		},
	}
}

// BenchmarkBesideACrashingService measures what requests to one service take while another one is
// asked all the time, which answers (calm) or panics at every tenth request (storm). The p99 of the
// two are to be compared.
func BenchmarkBesideACrashingService(b *testing.B) {
	for _, neighbour := range []struct {
		name string
		make func(string) *service.Service
	}{{"calm", calm}, {"storm", shaky}, {"calm again", calm}, {"storm again", shaky}} {
		b.Run(neighbour.name, func(b *testing.B) {
			s := start(b, testConfig(b), neighbour.make("a"), calm("b"))
			asker, disturber := member(b, s, token.Spec{Kind: token.User}), member(b, s, token.Spec{Kind: token.User})
			ctx, cancel := context.WithCancel(context.Background())
			var disturbing sync.WaitGroup
			disturbing.Go(func() { disturb(ctx, disturber) })
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				if _, err := asker.Request(ctx, "b", "echo", 1); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			cancel()
			disturbing.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
		})
	}
}

// disturb asks the neighbour at a steady pace, so that both runs do the same work but for the panics.
func disturb(ctx context.Context, c *client.Client) {
	pace := time.NewTicker(500 * time.Microsecond)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
			_, _ = c.Request(ctx, "a", "echo", 1) // a failure is what this is about
		}
	}
}
