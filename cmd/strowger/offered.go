package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"strowger/client"
)

// The service and topic by which the router says whether anybody offers a service (protocol 5.10).
const (
	routerService = "strowger"
	offeredTopic  = "offered"
)

// patience is how long a verb waits for that answer before it goes on without it: other routers do not
// know the question.
const patience = 2 * time.Second

// errNobody means that nobody offers the service.
var errNobody = errors.New("nobody offers the service")

// nobody tells a user that nobody offers a service.
func nobody(service string) error {
	return fmt.Errorf("%w %q: is its program running, is it connected to this router, and is the name right?", errNobody, service)
}

// unoffered reports whether the router says that nobody offers the service. It is false as well when the
// router does not say.
func (c *connection) unoffered(ctx context.Context, service string) bool {
	reply, err := c.Request(ctx, routerService, offeredTopic, map[string]string{"service": service})
	if err != nil {
		return false
	}
	var said struct {
		Offered *bool `json:"offered"`
	}
	return json.Unmarshal(reply.Payload, &said) == nil && said.Offered != nil && !*said.Offered
}

// requestOffered is Request, but fails with errNobody as soon as the router says that nobody offers the
// service. The request is not sent then, unless the router took its time to say so.
func (c *connection) requestOffered(ctx context.Context, service, topic string, payload any) (*client.Reply, error) {
	if service == routerService && topic == offeredTopic {
		return c.Request(ctx, service, topic, payload)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	said := make(chan struct{})
	go func() {
		defer close(said)
		if c.unoffered(ctx, service) {
			cancel(errNobody)
		}
	}()
	defer func() {
		cancel(nil)
		<-said
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-said:
	case <-timer.C:
	}
	if errors.Is(context.Cause(ctx), errNobody) {
		return nil, nobody(service)
	}
	reply, err := c.Request(ctx, service, topic, payload)
	if errors.Is(err, errNobody) {
		return nil, nobody(service)
	}
	return reply, err
}

// warnUnoffered writes a line for each service that nobody offers now. It returns when the router has
// answered, or at the end of ctx.
func (p *program) warnUnoffered(ctx context.Context, c *connection, services []string) {
	for _, service := range services {
		if c.unoffered(ctx, service) {
			fmt.Fprintf(p.stderr, "strowger: nobody offers the service %q now; what it says will be printed once it is there\n", service)
		}
	}
}
