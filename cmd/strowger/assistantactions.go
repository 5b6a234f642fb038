package main

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type serviceInput struct {
	Name string `json:"name" jsonschema:"the name of a service in the router, from the tool services"`
}

type replayInput struct {
	Number  uint64 `json:"number" jsonschema:"the number of the dead letter, from the tool deadletters"`
	Confirm uint64 `json:"confirm" jsonschema:"the same number once more, because the service may do again what it has done before"`
}

// addActions gives a server the tools that change something. Each asks the console once and is in its audit log.
func (a *assistant) addActions(s *mcp.Server) {
	const audited = " The action is in the audit log."
	destructive, additive := true, false
	(&tool[connectionInput]{
		name: "disconnect", title: "Close a connection", hints: mcp.ToolAnnotations{DestructiveHint: &destructive},
		text: "Closes one connection with 1001, going away. Its page may come back." + audited,
		do: func(ctx context.Context, in *connectionInput) (string, error) {
			if err := in.check(); err != nil {
				return "", err
			}
			answer, err := a.act(ctx, "connection.disconnect", in)
			return string(answer), err
		},
	}).add(s)
	addDeed(a, s, "restart", "Restart a service", "Stops a service in the router and starts it again. What it has not answered gets 503."+audited, &destructive)
	addDeed(a, s, "stop", "Stop a service", "Ends a service in the router. Requests for it get 503 until it is started or the daemon is restarted."+audited, &destructive)
	addDeed(a, s, "start", "Start a service", "Starts a service in the router that was stopped."+audited, &additive)
	addDeed(a, s, "reset", "Reset a service's breaker", "Forgets the failures of a service in the router, closes its breaker and starts it at once."+audited, &additive)
	(&tool[replayInput]{
		name: "deadletter_replay", title: "Replay a dead letter", hints: mcp.ToolAnnotations{DestructiveHint: &destructive},
		text: "Asks the service once more what became a dead letter, with the permissions of who asked, and returns the answer. It works once for each dead letter, and only if the daemon keeps payloads (admin.payloads)." + audited,
		do: func(ctx context.Context, in *replayInput) (string, error) {
			answer, err := a.act(ctx, "deadletter.replay", in)
			return string(answer), err
		},
	}).add(s)
}

func addDeed(a *assistant, s *mcp.Server, deed, title, text string, destructive *bool) {
	(&tool[serviceInput]{
		name: "service_" + deed, title: title, text: text, hints: mcp.ToolAnnotations{DestructiveHint: destructive},
		do: func(ctx context.Context, in *serviceInput) (string, error) {
			answer, err := a.act(ctx, "service."+deed, in)
			return string(answer), err
		},
	}).add(s)
}
