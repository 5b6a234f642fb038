//go:build unix

package process

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/system"
	"strowger/system/service"
	"strowger/system/token"
)

// connect returns a client of a router that may ask all services.
func connect(t *testing.T, router *system.System, dir string) *client.Client {
	t.Helper()
	source := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(dir, token.Spec{Services: []string{"mortal", "beside"}, ClaimWithin: time.Minute}, token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	c, err := client.Dial(t.Context(), "ws://"+router.Addr().String()+"/", source, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// In a router, the process of a service is killed again and again. Its callers always get one answer, and those of another service
// notice nothing.
func TestInRouter(t *testing.T) {
	cfg := config.Default()
	cfg.Listen.Address, cfg.Admin.Address, cfg.Tokens.Directory = "127.0.0.1:0", "", t.TempDir()
	svc, beside := mortal(), &service.Service{Name: "beside", Setup: echoing, Policy: service.Everyone()}
	svc.Policy = service.Everyone()
	log := &logged{}
	router, err := system.New(system.Options{Config: cfg, Log: newLog(t, log)}, Service(svc, Options{}), beside)
	if err != nil {
		t.Fatal(err)
	}
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := router.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	caller, bystander := connect(t, router, cfg.Tokens.Directory), connect(t, router, cfg.Tokens.Directory)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var answered atomic.Int64
	another := make(chan struct{})
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-over:
				ended <- nil
				return
			default:
			}
			if _, err := bystander.Request(ctx, "beside", "echo", 1); err != nil {
				ended <- err
				return
			}
			answered.Add(1)
			select {
			case another <- struct{}{}:
			default: // nobody counts yet
			}
		}
	}()
	answers := map[string]int{}
	for kills := 0; kills < 5; {
		reply, err := caller.Request(ctx, "mortal", "pid", nil)
		switch {
		case err == nil:
			answers["200"]++
			var pid int
			if err := json.Unmarshal(reply.Payload, &pid); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
				kills++
			}
		case errors.Is(err, client.ErrUnavailable):
			answers["503"]++
		default:
			status, ok := errors.AsType[*client.StatusError](err)
			if !ok || status.Code != 500 {
				t.Fatalf("a request is answered with %v", err)
			}
			answers["500"]++
		}
	}
	for range 10 {
		select {
		case <-another:
		case <-ctx.Done():
			t.Fatal("the service beside it does not answer")
		}
	}
	close(over)
	if err := <-ended; err != nil {
		t.Errorf("a caller of the service beside it: %v", err)
	}
	if answers["200"] < 5 {
		t.Errorf("answers by status: %v", answers)
	}
	t.Log(answers, answered.Load())
}
