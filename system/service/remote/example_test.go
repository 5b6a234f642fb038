package remote_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system"
	"strowger/system/service"
	"strowger/system/service/remote"
	"strowger/system/token"
)

// source returns a source of tokens that a router on this machine finds in a directory.
func source(dir string, spec token.Spec) client.TokenSource {
	spec.ClaimWithin = time.Minute
	return func(context.Context) (client.Token, error) {
		made, _, err := token.Create(dir, spec, token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
}

// A service that connects to a router, is asked, and leaves when its context ends.
func ExampleServe() {
	url, dir, stopRouter := startRouter("echo")
	defer stopRouter()
	echo := &service.Service{Name: "echo", Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		return nil
	}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	online := make(chan struct{})
	var o remote.Options
	o.Client.OnState = func(state client.State, _ error) {
		if state == client.StateOnline {
			close(online)
		}
	}
	done := make(chan error, 1)
	go func() { done <- remote.Serve(ctx, url, source(dir, token.Spec{ServiceName: "echo"}), echo, o) }()
	<-online

	c, err := client.Dial(context.Background(), url, source(dir, token.Spec{Services: []string{"echo"}}), client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	reply, err := c.Request(context.Background(), "echo", "say", "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(reply.Payload))
	stop()
	fmt.Println("left:", <-done)
	// Output:
	// "hello"
	// left: <nil>
}

// startRouter starts a router in which everybody may ask one remote service.
func startRouter(name string) (url, dir string, stop func()) {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		panic(err)
	}
	cfg := config.Default()
	cfg.Listen.Address = "127.0.0.1:0"
	cfg.Admin.Address = ""
	cfg.Tokens.Directory = dir
	cfg.Policies = map[string]policy.Policy{name: *service.Everyone()}
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = router.Start()
	}
	if err != nil {
		panic(err)
	}
	return "ws://" + router.Addr().String() + "/", dir, func() {
		if err := router.Stop(context.Background()); err != nil {
			fmt.Println(err)
		}
		os.RemoveAll(dir)
	}
}
