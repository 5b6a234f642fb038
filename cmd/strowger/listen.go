package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strowger/client"
)

// broadcast is what listen prints.
type broadcast struct {
	Service string          `json:"service"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`
	Missed  uint64          `json:"missed,omitempty"`
}

func (p *program) listenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "listen SERVICE...",
		Short: "Print the broadcasts of services",
		Long: `Listen prints every broadcast of the services as {"service", "topic", "payload"}, one
a line, until it is interrupted or has printed --count of them. "missed" counts those
that were dropped before this one because nobody read fast enough, whatever their service.
It says so when nobody offers a service, and waits for it.
A token from outside must be subscribed to the services. A lost connection is sought again,
unless the token is from outside.
` + connectionHelp,
		Example: `  strowger listen active.calls --permission call_active_view
  strowger listen active.calls active.conferences --count 10 | jq .topic`,
		Args: namedArguments("", "SERVICE..."),
	}
	f := addConnectionFlags(cmd)
	count := cmd.Flags().Uint64("count", 0, "end after `N` broadcasts; 0 is never")
	cmd.RunE = verb(func(args []string) error {
		if slices.Contains(args, "") {
			return usage("SERVICE: the name of a service is empty")
		}
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		return p.listen(f, args, *count)
	})
	return cmd
}

func (p *program) listen(f *connectionFlags, services []string, count uint64) error {
	ctx, stop := p.untilInterrupted()
	defer stop()
	closed := make(chan error, 1) // gets one error, as closing is the last change of state
	lost := false
	c, err := p.connect(ctx, f, services, func(state client.State, cause error) {
		switch {
		case state == client.StateClosed:
			closed <- cause
		case state == client.StateOffline:
			lost = true
		case state == client.StateOnline && lost:
			fmt.Fprintln(p.stderr, "strowger: connected again")
		}
	})
	if err != nil && errors.Is(context.Cause(ctx), errInterrupted) {
		return nil
	}
	if err != nil {
		return err
	}
	err = p.printBroadcasts(ctx, c, services, count, closed)
	// What the router does with the close frame changes nothing about what was printed.
	_ = c.close()
	return err
}

// printBroadcasts returns when count were printed, the connection is gone for good or ctx ends.
func (p *program) printBroadcasts(ctx context.Context, c *connection, services []string, count uint64, closed <-chan error) error {
	messages := make(chan client.Message)
	listening, stop := context.WithCancel(ctx)
	defer stop()
	// One listener for all keeps the order between the services.
	cancel := c.Listen("", func(m client.Message) {
		select {
		case messages <- m:
		case <-listening.Done():
		}
	})
	defer cancel()
	fmt.Fprintf(p.stderr, "strowger: listening to %s\n", strings.Join(services, ", "))
	told := make(chan struct{})
	go func() {
		defer close(told)
		p.warnUnoffered(listening, c, services)
	}()
	defer func() {
		stop()
		<-told
	}()
	var printed, missed uint64
	for {
		select {
		case m := <-messages:
			missed += m.Missed
			if !slices.Contains(services, m.Service) {
				continue
			}
			if err := printJSON(p.stdout, broadcast{m.Service, m.Topic, m.Payload, missed}); err != nil {
				return err
			}
			missed = 0
			if printed++; printed == count {
				return nil
			}
		case err := <-closed:
			return refusal(err)
		case <-ctx.Done():
			return nil
		}
	}
}
