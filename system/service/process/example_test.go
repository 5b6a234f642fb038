//go:build unix

package process_test

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
	"strowger/system/service/process"
	"strowger/system/token"
)

// counter is a service that nobody would want in the router's own process.
func counter() *service.Service {
	return &service.Service{
		Name:        "counter",
		Policy:      service.Everyone(),
		Supervision: service.Supervision{Backoff: time.Millisecond},
		Setup: func(s service.Setup) error {
			n := 0
			s.Handle("count", func(r service.Request) error {
				n++
				r.Reply(n)
				return nil
			})
			s.Handle("exit", func(service.Request) error {
				os.Exit(1)
				return nil
			})
			return nil
		},
	}
}

// In a program, the call of process.Service is all. The program of this example is a test, which says in TestMain, by
// process.Main, what its children run.
func init() { process.Examples = append(process.Examples, counter()) }

// A router has a service in a process of its own. The service ends its process, and the router starts another one.
func ExampleService() {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cfg := config.Default()
	cfg.Listen.Address = "127.0.0.1:0"
	cfg.Admin.Address = ""
	cfg.Tokens.Directory = dir

	svc := process.Service(counter(), process.Options{Memory: 512 << 20})
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, svc)
	if err != nil {
		panic(err)
	}
	if err := router.Start(); err != nil {
		panic(err)
	}
	defer func() { _ = router.Stop(context.Background()) }()

	source := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(dir, token.Spec{Services: []string{"counter"}, ClaimWithin: time.Minute}, token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	c, err := client.Dial(context.Background(), "ws://"+router.Addr().String()+"/", source, client.Options{})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for _, topic := range []string{"count", "count", "exit", "count"} {
		reply, err := c.Request(context.Background(), "counter", topic, nil)
		if err != nil {
			fmt.Println(topic, "fails")
			continue
		}
		fmt.Println(topic, string(reply.Payload))
	}
	// Output:
	// count 1
	// count 2
	// exit fails
	// count 1
}
