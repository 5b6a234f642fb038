package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// tokenVariable holds a token as NAME:HASH. It is no key of the configuration.
const tokenVariable = "STROWGER_TOKEN"

func (p *program) rootCommand() *cobra.Command {
	root := group("strowger", "Route messages between browsers and services over WebSocket",
		p.serveCommand(), p.demoCommand(), p.callCommand(), p.listenCommand(), p.tokenCommand(), p.explainCommand(), p.configCommand(), p.versionCommand())
	root.Long = `strowger routes messages between browsers and services over WebSocket, in place of
FusionPBX's own router.

JSON goes to stdout and everything else to stderr. The exit status is 0 when all
went well, 1 after an error, 2 when the command line is wrong and 3 when the
router or a service refused.`
	root.Example = `  strowger serve --fusionpbx
  strowger call active.calls in.progress --permission call_active_view --permission call_active_all
  strowger config defaults > strowger.yaml`
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// group returns a command that does nothing but choose one of others.
func group(use, short string, others ...*cobra.Command) *cobra.Command {
	names := make([]string, len(others))
	for i, other := range others {
		names[i] = other.Name()
	}
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2}
	cmd.RunE = verb(func(args []string) error {
		if len(args) == 0 {
			return usage("a command is missing: one of %s", strings.Join(names, ", "))
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usage("unknown command %q, did you mean %s?", args[0], strings.Join(near, " or "))
		}
		return usage("unknown command %q: want one of %s", args[0], strings.Join(names, ", "))
	})
	cmd.AddCommand(others...)
	return cmd
}

// printJSON writes v as one line.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
