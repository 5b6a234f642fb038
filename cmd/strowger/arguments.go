package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// noArguments refuses arguments of a verb that takes nothing but flags.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("unexpected argument %q: %s takes none", args[0], cmd.CommandPath())
	}
	return nil
}

// namedArguments returns a check of a verb's arguments that says by name which are missing and which are
// too many. A name in brackets may be left out, and the last one may be repeated if it ends in three dots.
// hint, which may be empty, says what else may be wrong with one too many.
func namedArguments(hint string, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		synopsis := cmd.CommandPath() + " " + strings.Join(names, " ")
		if len(args) < len(names) {
			var missing []string
			for _, name := range names[len(args):] {
				if !strings.HasPrefix(name, "[") {
					missing = append(missing, strings.TrimSuffix(name, "..."))
				}
			}
			switch len(missing) {
			case 0:
				return nil
			case 1:
				return usage("%s is missing, write: %s", missing[0], synopsis)
			}
			return usage("%s are missing, write: %s", strings.Join(missing, " and "), synopsis)
		}
		if len(args) > len(names) && !strings.HasSuffix(names[len(names)-1], "...") {
			return usage("unexpected argument %q, write: %s%s", args[len(names)], synopsis, hint)
		}
		return nil
	}
}
