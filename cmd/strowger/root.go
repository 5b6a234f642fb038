package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// tokenVariable holds a token as NAME:HASH. It is no key of the configuration.
const tokenVariable = "STROWGER_TOKEN"

func (p *program) rootCommand() *cobra.Command {
	root := group("strowger", "Route messages between browsers and services over WebSocket",
		p.serveCommand(), p.reloadCommand(), p.upgradeCommand(), p.demoCommand(), p.callCommand(), p.listenCommand(), p.tokenCommand(), p.explainCommand(), p.checkCommand(),
		p.statusCommand(), p.clusterCommand(), p.serviceCommand(), p.connectionsCommand(), p.deadLettersCommand(), p.topCommand(), p.mcpCommand(), p.adminCommand(), p.fusionPBXCommand(), p.configCommand(), p.versionCommand())
	root.Long = `strowger routes messages between browsers and services over WebSocket, in place of
FusionPBX's own router.

What was asked for goes to stdout, most of it as JSON, and everything else to stderr.
The exit status is 0 when all went well, 1 after an error, 2 when the command line is
wrong and 3 when the router or a service refused.`
	root.Example = `  strowger serve --fusionpbx
  strowger call active.calls in.progress --permission call_active_view --permission call_active_all
  strowger status
  strowger config defaults > strowger.yaml`
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(flagError)
	version := root.Flags().Bool("version", false, "print the version")
	choice := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *version && len(args) == 0 {
			return failed(p.version(false))
		}
		return choice(cmd, args)
	}
	return root
}

// group returns a command that does nothing but choose one of others.
func group(use, short string, others ...*cobra.Command) *cobra.Command {
	names := make([]string, len(others))
	for i, other := range others {
		names[i] = other.Name()
	}
	cmd := &cobra.Command{Use: use, Short: short}
	choose(cmd, names)
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
