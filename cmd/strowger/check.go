package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/cmd/strowger/internal/check"
	"strowger/config"
	"strowger/system/fusionpbx/database"
)

// checkTimeout is how long check waits for an answer unless --timeout says otherwise.
const checkTimeout = 2 * time.Second

func (p *program) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for what keeps pages from working, and say what mends it",
		Long: `Check looks at the whole way from a browser to the router, and at what the router needs: the
settings and their sources, the port, the running router, FusionPBX's units, the token
directory, nginx, the database, FreeSWITCH's event socket, the clock, limits and certificates.
Give it the flags of serve that name files, and run it as root if it says that root sees more.

It prints a line for each finding: ok, note, warning or error, what was found, and the command
that mends it. It changes nothing and takes no token. The exit status is 1 if there is an error.`,
		Example: `  strowger check
  strowger check --fusionpbx --config /etc/strowger.yaml
  strowger check --fusionpbx --json`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	sources(flags)
	asJSON := flags.Bool("json", false, "print the findings as a JSON array of {name, state, what, mend}")
	timeout := flags.Duration("timeout", checkTimeout, "how long each question to the network may take")
	cmd.RunE = verb(func([]string) error {
		if *timeout <= 0 {
			return usage("--timeout: %v is not a time to wait", *timeout)
		}
		findings, err := p.check(flags, *timeout)
		if err != nil {
			return err
		}
		if err := p.printFindings(findings, *asJSON); err != nil {
			return err
		}
		for _, f := range findings {
			if f.State == check.Error {
				return &exit{status: exitError}
			}
		}
		return nil
	})
	return cmd
}

// check loads the configuration as serve does, and looks at everything. The error is one of the command line.
func (p *program) check(flags *pflag.FlagSet, timeout time.Duration) ([]check.Finding, error) {
	named := sourceFlags(flags)
	command := strings.TrimSpace("strowger check " + named)
	site := p.newSite()
	read := site.read
	site.read = func(ctx context.Context, o database.Options) ([]config.Setting, error) {
		o.Timeout = min(o.Timeout, timeout)
		return read(ctx, o)
	}
	cfg, err := p.loadConfig(flags, site)
	var wrong *exit
	switch {
	case errors.As(err, &wrong):
		return nil, err
	case err != nil:
		return check.Problems(err, problems(err), command), nil
	}
	return check.Run(context.Background(), check.Options{
		Config: cfg, Timeout: timeout, Command: command, Sources: named, Machine: p.machine(),
	}), nil
}

// sourceFlags returns the flags that name files as they were given.
func sourceFlags(flags *pflag.FlagSet) string {
	var named []string
	if f := flags.Lookup("fusionpbx"); f.Changed && f.Value.String() == detect {
		named = append(named, "--fusionpbx")
	} else if f.Changed {
		named = append(named, "--fusionpbx="+f.Value.String())
	}
	if f := flags.Lookup("config"); f.Changed {
		named = append(named, "--config "+f.Value.String())
	}
	return strings.Join(named, " ")
}

func (p *program) printFindings(findings []check.Finding, asJSON bool) error {
	if asJSON {
		return printJSON(p.stdout, findings)
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(p.stdout, f); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
