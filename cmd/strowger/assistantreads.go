package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// rowsInput is which rows of a table are wanted.
type rowsInput struct {
	Offset int `json:"offset,omitempty" jsonschema:"how many rows to leave out, 0 or more; the default is 0"`
	Limit  int `json:"limit,omitempty" jsonschema:"how many rows at most, 1 to 200; the default is 50"`
}

type noInput struct{}

type latestInput struct {
	Limit int `json:"limit,omitempty" jsonschema:"how many rows at most, 1 to 200; the default is 50"`
}

type connectionsInput struct {
	Search     string `json:"search,omitempty" jsonschema:"only those with this text in id, user, domain, name, class or address; at most 200 bytes, case does not count"`
	Role       string `json:"role,omitempty" jsonschema:"only those of a role"`
	Service    string `json:"service,omitempty" jsonschema:"only those that watch or offer the service of this name"`
	Sort       string `json:"sort,omitempty" jsonschema:"the order of the rows; the default is since, the oldest first"`
	Descending bool   `json:"descending,omitempty" jsonschema:"true: the largest first"`
	rowsInput
}

type connectionInput struct {
	Number uint64 `json:"number,omitempty" jsonschema:"the number of the connection, from the tool connections"`
	ID     string `json:"id,omitempty" jsonschema:"the id of the connection, in place of its number"`
}

// check returns what is missing.
func (in *connectionInput) check() error {
	if in.Number == 0 && in.ID == "" {
		return errors.New("number or id is missing: which connection is meant?")
	}
	return nil
}

type topicsInput struct {
	Search     string `json:"search,omitempty" jsonschema:"only those with this text in the name; at most 200 bytes, case does not count"`
	Sort       string `json:"sort,omitempty" jsonschema:"the order of the rows; the default is name"`
	Descending bool   `json:"descending,omitempty" jsonschema:"true: the largest first"`
	rowsInput
}

type servicesInput struct {
	Search     string `json:"search,omitempty" jsonschema:"only those with this text in name or state; at most 200 bytes, case does not count"`
	Sort       string `json:"sort,omitempty" jsonschema:"the order of the rows; the default is name"`
	Descending bool   `json:"descending,omitempty" jsonschema:"true: the largest first"`
	rowsInput
}

type lettersInput struct {
	Search  string `json:"search,omitempty" jsonschema:"only those with this text in service, topic, reason or actor; at most 200 bytes, case does not count"`
	Reason  string `json:"reason,omitempty" jsonschema:"only those of a reason"`
	Service string `json:"service,omitempty" jsonschema:"only those for the service of this name"`
	rowsInput
}

type letterInput struct {
	Number uint64 `json:"number" jsonschema:"the number of the dead letter, from the tool deadletters"`
}

type logInput struct {
	Level  string `json:"level,omitempty" jsonschema:"only lines of this level and above; the default is all that are kept"`
	Search string `json:"search,omitempty" jsonschema:"only lines with this text in message or attributes; at most 200 bytes, case does not count"`
	After  uint64 `json:"after,omitempty" jsonschema:"only lines after the one of this number, 0 or more"`
	Limit  int    `json:"limit,omitempty" jsonschema:"how many lines at most, 1 to 200; the default is 50"`
}

type explainInput struct {
	Subscriber string          `json:"subscriber" jsonschema:"the id of a connected client, from the tool connections"`
	Service    string          `json:"service" jsonschema:"the name of the service"`
	Event      json.RawMessage `json:"event,omitempty" jsonschema:"a message of the service, to learn whether the client gets it: {\"topic\": ..., \"payload\": ...}; without it the rules are told"`
}

// addReads gives a server the tools that change nothing.
func (a *assistant) addReads(s *mcp.Server) {
	a.addTables(s)
	addRead[noInput](a, s, "status", "State of the daemon",
		"Version, pid, start, whether the daemon is ready and what is missing, and rates per second over half a second: connections, requests, broadcasts, dead letters, bytes that wait, CPU in percent, heap in bytes.", nil)
	addRead[letterInput](a, s, "deadletter", "One dead letter",
		"All that is kept of one dead letter, with the stack of a crash, and its payload if the daemon keeps payloads (admin.payloads).", nil)
	addRead[explainInput](a, s, "explain", "Why a client gets a message or not",
		"Which rules of the policy decide what a connected client gets of a service, and with an event, whether it gets that one and what is left of it.", nil)
	(&tool[connectionInput]{
		name: "connection", title: "One connection", hints: mcp.ToolAnnotations{ReadOnlyHint: true},
		text: "One connection with the services that it watches, its number of permissions and its extensions.",
		do: func(ctx context.Context, in *connectionInput) (string, error) {
			if err := in.check(); err != nil {
				return "", err
			}
			answer, err := a.ask(ctx, "connection", in)
			return string(answer), err
		},
	}).add(s)
	(&tool[treeInput]{
		name: "tree", title: "Tree of actors", hints: mcp.ToolAnnotations{ReadOnlyHint: true}, do: a.tree,
		text: "The supervised actors, topics, remote services and pools: state, restarts, pause before the next start in milliseconds, breaker, last failure. omitted counts children that are left out.",
	}).add(s)
	(&tool[metricsInput]{
		name: "metrics", title: "Metrics", hints: mcp.ToolAnnotations{ReadOnlyHint: true}, do: a.metrics,
		text: "The daemon's metrics as Prometheus text. Choose names: all of them have many samples. docs/metrics.md of strowger explains each.",
	}).add(s)
}

func (a *assistant) addTables(s *mcp.Server) {
	addRead[connectionsInput](a, s, "connections", "Who is connected",
		"A page of the open connections: role, user, domain, address, age and idle time in milliseconds, subscriptions, messages and bytes that wait, bytes in and out.",
		map[string][]string{"role": {"client", "service", "unauthenticated"}, "sort": {"since", "queued_bytes", "queued", "in_bytes", "out_bytes", "idle", "user", "domain", "remote", "subscriptions", "name"}})
	addRead[rowsInput](a, s, "slow", "Slow readers",
		"The connections for which messages wait because the peer reads slowly, those with the most bytes first, and how many bytes wait in all.", nil)
	addRead[topicsInput](a, s, "topics", "Topics",
		"A page of the topics: members, classes of filters, broadcasts since the start and per second, messages that wait in the mailbox.",
		map[string][]string{"sort": {"name", "members", "classes", "broadcasts", "rate"}})
	addRead[servicesInput](a, s, "services", "Services",
		"A page of the services, in the router (inside) and remote: state, instances, restarts, breaker, pause before the next start in milliseconds, open requests, requests and failures since the start and per second, mean time of an answer in milliseconds.",
		map[string][]string{"sort": {"name", "requests", "rate", "failures", "state", "latency"}})
	addRead[lettersInput](a, s, "deadletters", "Dead letters",
		"A page of the messages that nobody took and those at which an actor or a service crashed, the latest first, and how many there were of each reason.",
		map[string][]string{"reason": {"unknown_service", "too_many_requests", "unknown_subscriber", "unsolicited_reply", "late_reply", "ambiguous_reply", "actor_stopped", "actor_crashed"}})
	addRead[logInput](a, s, "log", "Log",
		"The latest lines of the daemon's log that fit, the oldest of them first. The daemon keeps a limited number of lines.",
		map[string][]string{"level": {"debug", "info", "warn", "error"}})
	addRead[latestInput](a, s, "audit", "Audit log",
		"The latest actions that somebody took in the console, by a command or by a tool: who, from where, what, and the result. The latest is first.", nil)
}

// addRead adds a tool that asks the console's topic of the same name.
func addRead[In any](a *assistant, s *mcp.Server, name, title, text string, choices map[string][]string) {
	(&tool[In]{
		name: name, title: title, text: text, choices: choices, hints: mcp.ToolAnnotations{ReadOnlyHint: true},
		do: func(ctx context.Context, in *In) (string, error) {
			answer, err := a.ask(ctx, name, in)
			return string(answer), err
		},
	}).add(s)
}
