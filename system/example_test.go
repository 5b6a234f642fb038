package system_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/system"
	"strowger/system/service"
	"strowger/system/token"
)

// A router with a service in it, and a client that asks.
func ExampleSystem_Run() {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cfg := config.Default()
	cfg.Listen.Address = "127.0.0.1:0" // any port that is free
	cfg.Admin.Address = ""
	cfg.Tokens.Directory = dir
	echo := &service.Service{Name: "echo", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		return nil
	}}
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, echo)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- router.Run(ctx) }()
	select {
	case <-router.Started():
		ask("ws://"+router.Addr().String()+"/", dir)
	case err := <-done:
		fmt.Println(err)
		return
	}
	stop()
	fmt.Println("stopped:", <-done)
	// Output:
	// "hello"
	// stopped: <nil>
}

func ask(url, dir string) {
	mint := &token.Mint{Dir: dir, Spec: token.Spec{Services: []string{"echo"}, ClaimWithin: time.Minute}}
	defer mint.Close()
	source := func(context.Context) (client.Token, error) {
		t, err := mint.Make()
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: t.Name, Hash: t.Hash}, nil
	}
	c, err := client.Dial(context.Background(), url, source, client.Options{})
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
}

// A service is added to a router that runs, and removed again.
func ExampleSystem_Add() {
	cfg := config.Default()
	cfg.Listen.Address = "127.0.0.1:0" // any port that is free
	cfg.Admin.Address = ""
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = router.Start()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer router.Stop(ctx)

	greeter := func(tenant string) *service.Service {
		return &service.Service{Name: "greeter." + tenant, Policy: service.Everyone(), Setup: func(s service.Setup) error {
			s.Handle("greet", func(r service.Request) error { r.Reply("Welcome to " + tenant); return nil })
			return nil
		}}
	}
	fmt.Println(router.Add(ctx, greeter("oslo")), router.Services())
	fmt.Println(router.Add(ctx, greeter("oslo")))
	fmt.Println(router.Remove(ctx, "greeter.oslo"))
	fmt.Println(router.Remove(ctx, "greeter.oslo"))
	// Output:
	// <nil> 1
	// add service "greeter.oslo": the name is taken
	// <nil>
	// remove service "greeter.oslo": there is no such service in the router
}
