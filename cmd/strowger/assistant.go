package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// assistant answers the calls of an assistant. Its methods may be called from any goroutine.
type assistant struct {
	program *program
	flags   *consoleFlags
	ended   context.Context // ends with the program; calls have their own besides
	turns   chan struct{}   // one for each call that asks the daemon
}

// largestToolAnswer bounds what an assistant gets of one call, in bytes.
const largestToolAnswer = 256 << 10

// inTurn has f ask the daemon, when it is its turn, in the time that --timeout leaves.
func (a *assistant) inTurn(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.ended, cancel)()
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return fmt.Errorf("wait for earlier calls: %w", ctx.Err())
	}
	ctx, done := context.WithTimeout(ctx, a.flags.timeout)
	defer done()
	return f(ctx)
}

// ask asks the console. Each call connects anew: an assistant is idle for most of the time, and the daemon may have been
// restarted since the call before.
func (a *assistant) ask(ctx context.Context, topic string, payload any) (answer json.RawMessage, err error) {
	err = a.inTurn(ctx, func(ctx context.Context) error {
		c, err := a.program.openConsole(ctx, a.flags)
		if err != nil {
			return err
		}
		defer c.close()
		answer, err = c.ask(ctx, topic, payload)
		return err
	})
	return answer, err
}

// act has the console do something, once. Where it is not known whether it was done, the error says so.
func (a *assistant) act(ctx context.Context, topic string, payload any) (answer json.RawMessage, err error) {
	err = a.inTurn(ctx, func(ctx context.Context) error {
		c, err := a.program.openConsole(ctx, a.flags)
		if err != nil {
			return err
		}
		defer c.close()
		answer, err = c.ask(ctx, topic, payload)
		var known *exit
		if err != nil && !errors.As(err, &known) {
			return fmt.Errorf("%w; it may have been done: look at the tool audit before you try again", err)
		}
		return err
	})
	return answer, err
}

// tool is one that an assistant may call with an In.
type tool[In any] struct {
	name, title, text string
	choices           map[string][]string // the values that a property may have
	hints             mcp.ToolAnnotations
	do                func(ctx context.Context, in *In) (string, error)
}

// add gives a server the tool.
func (t *tool[In]) add(s *mcp.Server) {
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		panic(err) // an input that has no schema is a bug that every start shows
	}
	for name, property := range schema.Properties {
		bound(name, property)
		for _, choice := range t.choices[name] {
			property.Enum = append(property.Enum, choice)
		}
	}
	t.hints.Title = t.title
	closed := false
	t.hints.OpenWorldHint = &closed
	mcp.AddTool(s, &mcp.Tool{Name: t.name, Title: t.title, Description: t.text, InputSchema: schema, Annotations: &t.hints},
		func(ctx context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
			text, err := t.do(ctx, &in)
			if err == nil && len(text) > largestToolAnswer {
				err = fmt.Errorf("the answer has %d bytes, more than %d: ask for less, with limit, search, branch or names", len(text), largestToolAnswer)
			}
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
}

// The bounds of a page, which are those of the console.
const (
	usualPage   = 50
	largestPage = 200
	longestFind = 200
)

// bound gives a property the bounds that its name has in all tools.
func bound(name string, property *jsonschema.Schema) {
	number := func(n float64) *float64 { return &n }
	switch name {
	case "limit":
		property.Minimum, property.Maximum = number(1), number(largestPage)
		property.Default = json.RawMessage(fmt.Sprint(usualPage))
	case "offset":
		property.Minimum = number(0)
	case "number", "confirm":
		property.Minimum = number(1)
	case "search":
		longest := longestFind
		property.MaxLength = &longest
	case "names":
		property.Type, property.Types = "array", nil // null is no list of names
	case "event":
		// Raw JSON has no schema of its own.
		*property = jsonschema.Schema{Type: "object", Description: property.Description}
	}
}
