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
	"strowger/system/service/remote"
	"strowger/system/token"
)

var clock = &service.Service{
	Name: "clock",
	Setup: func(s service.Setup) error {
		s.Handle("now", func(r service.Request) error { r.Reply(r.Now()); return nil })
		s.Every(time.Second, func(c service.Context) { c.Broadcast("tick", c.Now()) })
		return nil
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, "ws://127.0.0.1:8080/", ""); err != nil {
		fmt.Fprintln(os.Stderr, "clock:", err)
		os.Exit(1)
	}
}

// serve offers the clock until ctx ends. It makes its tokens, one for each connection, where a router
// on this machine looks for them, and takes away those that the router did not.
func serve(ctx context.Context, url, tokens string) error {
	mint := &token.Mint{Dir: tokens, Spec: token.Spec{ServiceName: clock.Name, ClaimWithin: time.Minute}}
	defer mint.Close()
	newToken := func(context.Context) (client.Token, error) {
		t, err := mint.Make()
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: t.Name, Hash: t.Hash}, nil
	}
	return remote.Serve(ctx, url, newToken, clock, remote.Options{
		Client: client.Options{Logger: slog.Default()},
	})
}
