package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strowger/config"
	"strowger/config/policy"
	"strowger/system"
)

func (p *program) configCommand() *cobra.Command {
	cmd := group("config", "Explain and check settings", p.configDefaultsCommand(), p.configCheckCommand(), p.configShowCommand(), p.configPoliciesCommand(), p.configSchemaCommand())
	cmd.Example = `  strowger config defaults > strowger.yaml
  strowger config check strowger.yaml
  strowger config show --fusionpbx --config strowger.yaml
  strowger config policies strowger.yaml
  strowger config schema > strowger.schema.json`
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
		Long: `Check reads a file of settings alone, without the environment, FusionPBX's config.conf
and its database, and reports everything that is wrong with it on stderr, one problem a line.
If the file names a TLS certificate and key, it reads them too, as the user who runs it:
they must be there, belong together and be valid now.`,
		Example: `  strowger config check /etc/strowger.yaml`,
		Args:    namedArguments("", "FILE"),
		RunE: verb(func(args []string) error {
			if args[0] == "" {
				return usage("the name of the file is empty")
			}
			cfg, err := config.Load(config.Options{File: args[0]})
			if err != nil {
				fmt.Fprintln(p.stderr, err)
				return &exit{status: exitError}
			}
			if err := system.CheckCertificate(cfg, time.Now()); err != nil {
				for _, problem := range problems(err) {
					fmt.Fprintf(p.stderr, "%s: %v\n", args[0], problem)
				}
				return &exit{status: exitError}
			}
			if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", args[0]); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		}),
	}
}

func (p *program) configShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print every setting that serve would have, and where it comes from",
		Long: `Show reads what serve reads: FusionPBX's config.conf and the default settings in its database
with --fusionpbx, the file of --config and the environment. It prints every setting with the
place that it comes from, in a form that can be put into a file of settings. What FusionPBX
says follows as comments, without passwords.`,
		Example: `  strowger config show
  strowger config show --fusionpbx --config /etc/strowger.yaml`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	sources(flags)
	cmd.RunE = verb(func([]string) error {
		cfg, err := p.loadConfig(flags, p.newSite())
		if err != nil {
			return err
		}
		return config.Show(p.stdout, cfg)
	})
	return cmd
}

func (p *program) configPoliciesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "policies [FILE]",
		Short: "Print the policies in use: who sees what of which service",
		Long: `Policies prints the policies that hold with a file of settings, sorted by the name of the
service or class that they are for: the built-in ones, and those of the file in place of
them or beside them. Without a file it prints the built-in ones with their comments. What
it prints can be put into a file of settings and changed there.`,
		Example: `  strowger config policies
  strowger config policies /etc/strowger.yaml`,
		Args: namedArguments("", "[FILE]"),
		RunE: verb(func(args []string) error {
			if len(args) > 0 && args[0] == "" {
				return usage("the name of the file is empty")
			}
			text, err := policies(args)
			if err != nil {
				return err
			}
			var out strings.Builder
			out.WriteString("policies:\n")
			for line := range strings.Lines(text) {
				if strings.TrimSpace(line) != "" {
					line = "  " + line
				}
				out.WriteString(line)
			}
			if _, err := io.WriteString(p.stdout, out.String()); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		}),
	}
}

func (p *program) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema of the file of settings, for an editor",
		Long: `Schema prints a JSON Schema (2020-12) of the file of settings: every key and every rule of a
policy with its meaning, its default and what is allowed. An editor with the YAML language
server completes and checks a file that names the schema in its first line:

  # yaml-language-server: $schema=strowger.schema.json

A schema cannot tell all that is wrong. "strowger config check" can.`,
		Example: `  strowger config schema > strowger.schema.json`,
		Args:    noArguments,
		RunE: verb(func([]string) error {
			if _, err := io.WriteString(p.stdout, config.Schema()); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		}),
	}
}

// policies returns the policies that hold with a file of settings, or without one.
func policies(args []string) (string, error) {
	if len(args) == 0 {
		return policy.BuiltinYAML(), nil
	}
	cfg, err := config.Load(config.Options{File: args[0]})
	if err != nil {
		return "", err
	}
	effective, err := cfg.EffectivePolicies()
	if err != nil {
		return "", err
	}
	text, err := config.MarshalPolicies(effective)
	return string(text), err
}
