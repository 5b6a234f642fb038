package strowger_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/token"
)

// rollingRestart ends two processes of the service with SIGTERM, one after the other and several times, and starts another
// one in the place of each. Clients ask all the time, and every request has its answer.
func rollingRestart(t *testing.T, bin string) {
	const clients, each, restarts, between = 4, 8, 8, 200
	tokens := t.TempDir()
	router := launch(t, filepath.Join(bin, "router"), "-listen", "127.0.0.1:0", "-tokens", tokens)
	url := "ws://" + strings.TrimPrefix(router.line(), "listening on ") + "/"
	deploy := func() *launched {
		greeter := launch(t, filepath.Join(bin, "greeter"), "-url", url, "-tokens", tokens)
		for state := greeter.line(); state != "online"; state = greeter.line() {
		}
		return greeter
	}
	greeters := []*launched{deploy(), deploy()}

	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan struct{}) // received from while the test waits for answers
	var answers atomic.Int64
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range clients {
		c := dial(t, url, tokens)
		for range each {
			all.Go(func() {
				for ctx.Err() == nil {
					if _, err := c.Request(context.WithoutCancel(ctx), "greeter", "greet", map[string]string{"name": "Ada"}); err != nil {
						t.Errorf("request after %d answers: %v", answers.Load(), err)
						cancel()
						return
					}
					answers.Add(1)
					select {
					case answered <- struct{}{}:
					default:
					}
				}
			})
		}
	}
	for i := range restarts {
		deadline := time.After(2 * time.Minute)
		for range between {
			select {
			case <-answered:
			case <-ctx.Done():
			case <-deadline:
				t.Error("no request is answered")
				cancel()
			}
		}
		greeters[i%2].end()
		greeters[i%2] = deploy()
	}
	cancel()
	all.Wait()
	for _, greeter := range greeters {
		greeter.end()
	}
	router.end()
	t.Logf("%d requests were answered", answers.Load())
}

// dial connects a client that may see the service.
func dial(t *testing.T, url, tokens string) *client.Client {
	t.Helper()
	mint := &token.Mint{Dir: tokens, Spec: token.Spec{Services: []string{"greeter"}, Permissions: []string{"greeter_view"}, ClaimWithin: time.Minute}}
	t.Cleanup(mint.Close)
	c, err := client.Dial(t.Context(), url, func(context.Context) (client.Token, error) {
		made, err := mint.Make()
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}, client.Options{RequestTimeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
