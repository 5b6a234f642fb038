package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"strowger/client"
)

func Example() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()

	c, err := client.Dial(ctx, server.url(), server.token, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	reply, err := c.Request(ctx, "directory", "lookup", map[string]string{"extension": "1001"})
	if err != nil {
		log.Fatal(err)
	}
	var person struct{ Name string }
	if err := reply.Decode(&person); err != nil {
		log.Fatal(err)
	}
	fmt.Println(person.Name)
	// Output: Ada
}

// A service's refusal is an error, told apart by its status code.
func ExampleClient_Request() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, server.url(), server.token, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Request(ctx, "directory", "lookup", map[string]string{"extension": "9999"})
	switch {
	case errors.Is(err, client.ErrNotFound):
		fmt.Println("no such extension")
	case errors.Is(err, client.ErrDisconnected), errors.Is(err, client.ErrTimeout):
		fmt.Println("it may or may not have been carried out")
	case err != nil:
		log.Fatal(err)
	}
	// Output: no such extension
}

func ExampleClient_Stream() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, server.url(), server.token, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	for reply, err := range c.Stream(ctx, "directory", "lookup", map[string]string{"extension": "1001"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", reply.Payload)
		break // the caller knows when it has them all
	}
	// Output: {"name":"Ada"}
}

func ExampleClient_Listen() {
	server := startServer()
	defer server.stop()
	c, err := client.Dial(context.Background(), server.url(), server.token, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	heard := make(chan struct{})
	cancel := c.Listen("active.calls", func(m client.Message) {
		if m.Missed > 0 {
			fmt.Println("too slow for", m.Missed, "messages")
		}
		fmt.Printf("%s %s\n", m.Topic, m.Payload)
		close(heard)
	})
	defer cancel()

	server.broadcast("ringing", `{"extension":"1001"}`)
	<-heard
	// Output: ringing {"extension":"1001"}
}

// The client asks for a fresh token each time it connects, as the router accepts
// a token once.
func ExampleDial_reconnect() {
	server := startServer()
	defer server.stop()
	ctx := context.Background()

	made := 0
	token := func(ctx context.Context) (client.Token, error) {
		made++
		return server.token(ctx)
	}
	online := make(chan struct{}, 2)
	c, err := client.Dial(ctx, server.url(), token, client.Options{
		Reconnect: client.Reconnect{Min: 10 * time.Millisecond, Max: time.Second},
		OnState: func(state client.State, cause error) {
			fmt.Println(state)
			if state == client.StateOnline {
				online <- struct{}{}
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	<-online

	server.drop()
	<-online // again
	if _, err := c.Request(ctx, "directory", "lookup", map[string]string{"extension": "1001"}); err != nil {
		log.Fatal(err)
	}
	c.Close()
	fmt.Println(made, "tokens")
	// Output:
	// connecting
	// online
	// offline
	// connecting
	// online
	// closed
	// 2 tokens
}

// A client that recovers gets what it missed, and is told where that cannot be.
func ExampleClient_Listen_recover() {
	server := startServer()
	defer server.stop()
	gaps := make(chan client.Gap, 1)
	c, err := client.Dial(context.Background(), server.url(), server.token, client.Options{
		Recover:   true,
		Filters:   map[string]client.Filter{"active.calls": {Topics: []string{"ringing"}, Keys: map[string][]any{"extension": {"1001", "1002"}}}},
		OnGap:     func(g client.Gap) { gaps <- g },
		Reconnect: client.Reconnect{Min: 10 * time.Millisecond, Max: time.Second},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	heard := make(chan client.Message)
	cancel := c.Listen("active.calls", func(m client.Message) { heard <- m })
	defer cancel()
	hear := func() {
		m := <-heard
		fmt.Printf("%s %s, gap %v\n", m.Topic, m.Payload, m.Gap)
	}
	server.broadcast("ringing", `{"extension":"1001"}`)
	hear()

	server.drop() // this router has no history, so the client is told to ask anew
	fmt.Println("may have lost calls of", (<-gaps).Service)
	server.broadcast("hangup", `{"extension":"1001"}`) // the filter does not pass it
	server.broadcast("ringing", `{"extension":"1002"}`)
	hear()
	// Output:
	// ringing {"extension":"1001"}, gap false
	// may have lost calls of active.calls
	// ringing {"extension":"1002"}, gap true
}
