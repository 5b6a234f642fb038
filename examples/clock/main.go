// Command clock is a service in a process of its own: it tells the time to whoever asks, and every
// second to whoever listens.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

var clock = &service.Service{
	Name: "clock",
	Setup: func(s *service.Setup) error {
		s.Handle("now", func(r *service.Request) { r.Reply(r.Now()) })
		s.Every(time.Second, func(c *service.Context) { c.Broadcast("tick", c.Now()) })
		return nil
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := client.Serve(ctx, "ws://127.0.0.1:8080/", newToken, clock, client.ServeOptions{
		Options: client.Options{Logger: slog.Default()},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "clock:", err)
		os.Exit(1)
	}
}

// newToken makes a token where a router on this machine looks for it; each connection takes one.
func newToken(context.Context) (client.Token, error) {
	t, _, err := token.Create("", token.Spec{ServiceName: clock.Name}, token.JSON)
	if err != nil {
		return client.Token{}, err
	}
	return client.Token{Name: t.Name, Hash: t.Hash}, nil
}
