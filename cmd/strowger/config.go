package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strowger/config"
)

func (p *program) configCommand() *cobra.Command {
	cmd := group("config", "Explain and check settings", p.configDefaultsCommand(), p.configCheckCommand())
	cmd.Example = `  strowger config defaults > strowger.yaml
  strowger config check strowger.yaml`
	return cmd
}

func (p *program) configDefaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "defaults",
		Short:   "Print a file with all settings, their meaning and their defaults",
		Example: `  strowger config defaults > strowger.yaml`,
		Args:    noArguments,
		RunE:    verb(func([]string) error { return config.WriteDefaults(p.stdout) }),
	}
}

func (p *program) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Report everything that is wrong with a file of settings",
		Long: `Check reads a file of settings alone, without the environment and FusionPBX's
config.conf, and reports everything that is wrong with it on stderr, one problem a line.`,
		Example: `  strowger config check /etc/strowger.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE: verb(func(args []string) error {
			if args[0] == "" {
				return usage("the name of the file is empty")
			}
			if _, err := config.Load(config.Options{File: args[0]}); err != nil {
				fmt.Fprintln(p.stderr, err)
				return &exit{status: exitError}
			}
			if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", args[0]); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		}),
	}
}
