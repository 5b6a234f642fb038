package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// helpCommand is cobra's, but it fails for what is no command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Explain a command",
		Example: `  strowger help call
  strowger help token create`,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usage("%w", err)
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest[0])
			}
			about.InitDefaultHelpFlag()
			return failed(about.Help())
		},
	}
}

// addCompletion adds cobra's command that writes scripts for shells. Cobra's own explains itself and
// succeeds when it is asked for a shell that it does not know. It writes to where root does now.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = `  strowger completion bash > strowger.bash`
		shells := make([]string, 0, len(cmd.Commands()))
		for _, shell := range cmd.Commands() {
			shells = append(shells, shell.Name())
			write := shell.RunE
			shell.Args = noArguments
			shell.RunE = func(cmd *cobra.Command, args []string) error { return failed(write(cmd, args)) }
		}
		choose(cmd, shells)
		cmd.SuggestionsMinimumDistance = 1 // the names are short, so any two are near each other
	}
}

// listed is the annotation of a command with the names of those below it, in the order in which to tell
// them.
const listed = "commands"

// choose makes cmd fail without one of the commands below it.
func choose(cmd *cobra.Command, names []string) {
	cmd.Annotations = map[string]string{listed: strings.Join(names, ", ")}
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return usage("a command is missing: one of %s", cmd.Annotations[listed])
	}
}

// unknownCommand says that name is no command below cmd, and which are.
func unknownCommand(cmd *cobra.Command, name string) error {
	if !cmd.HasSubCommands() {
		return usage("unknown command %q: %s has no commands", name, cmd.CommandPath())
	}
	near := cmd.SuggestionsFor(name)
	if len(near) > 0 {
		return usage("unknown command %q, did you mean %s?", name, strings.Join(near, " or "))
	}
	return usage("unknown command %q: want one of %s", name, cmd.Annotations[listed])
}
