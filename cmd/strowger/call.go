package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"strowger/client"
)

// largestPayload bounds what is read from stdin, in bytes.
const largestPayload = 16 << 20

// answer is what call prints.
type answer struct {
	Service string          `json:"service"`
	Topic   string          `json:"topic"`
	Status  string          `json:"status"`
	Code    int             `json:"code"`
	Payload json.RawMessage `json:"payload"`
}

func (p *program) callCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "call SERVICE TOPIC [JSON]",
		Short: "Send a request to a service and print the reply",
		Long: `Call sends a request with the JSON as its payload, - meaning what is on stdin, and
prints the first reply as {"service", "topic", "status", "code", "payload"} on one line.
The exit status is 3 when the reply has a code of 400 or more. When nobody offers the
service, and the router says so, nothing is sent and the status is 1.
` + connectionHelp,
		Example: `  strowger call active.calls in.progress --permission call_active_view --permission call_active_all
  strowger call weather today '{"city":"Oslo"}' --timeout 2s
  jq -n '{city:"Oslo"}' | strowger call weather today -`,
		Args: namedArguments("; JSON with spaces in it stands in single quotes", "SERVICE", "TOPIC", "[JSON]"),
	}
	f := addConnectionFlags(cmd)
	cmd.RunE = verb(func(args []string) error {
		if args[0] == "" {
			return usage("SERVICE: the name of the service is empty")
		}
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		payload, err := p.readPayload(args[2:])
		if err != nil {
			return err
		}
		return p.call(f, args[0], args[1], payload)
	})
	return cmd
}

// readPayload returns the JSON of the command line, nil when there is none.
func (p *program) readPayload(args []string) (any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	data, source := []byte(args[0]), "JSON"
	if args[0] == "-" {
		var err error
		source = "stdin"
		if data, err = io.ReadAll(io.LimitReader(p.stdin, largestPayload+1)); err != nil {
			return nil, fmt.Errorf("read stdin: %w", err)
		}
		if len(data) > largestPayload {
			return nil, fmt.Errorf("read stdin: more than %d bytes", largestPayload)
		}
	}
	var payload json.RawMessage
	if err := json.Unmarshal(data, &payload); err != nil {
		return nil, usage("%s: %w", source, notJSON(data, err))
	}
	return payload, nil
}

func (p *program) call(f *connectionFlags, service, topic string, payload any) error {
	interrupted, stop := p.untilInterrupted()
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, max(f.timeout, 0))
	defer cancel()
	c, err := p.connect(ctx, f, []string{service}, nil)
	if err != nil {
		return err
	}
	reply, err := c.requestOffered(ctx, service, topic, payload)
	// What the router does with the close frame changes nothing about the reply.
	_ = c.close()
	var refused *client.StatusError
	switch {
	case err == nil:
		return printJSON(p.stdout, answer(*reply))
	case errors.As(err, &refused):
		printed := answer{refused.Service, refused.Topic, refused.Status, refused.Code, refused.Payload}
		if err := printJSON(p.stdout, printed); err != nil {
			return err
		}
		return refusal(err)
	case errors.Is(err, client.ErrTimeout):
		return fmt.Errorf("%w: nobody answered within --timeout %v", err, f.timeout)
	default:
		return err
	}
}
