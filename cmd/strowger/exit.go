package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses of the program.
const (
	exitError   = 1
	exitUsage   = 2
	exitRefused = 3
)

// exit is the end of a verb with a status other than 0.
type exit struct {
	status int
	err    error // nil when everything has been said already
}

// Error returns the text of what went wrong.
func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

// Unwrap returns what went wrong.
func (e *exit) Unwrap() error { return e.err }

// usage is the end of a verb whose command line makes no sense.
func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// verb runs a verb and gives its errors a status.
func verb(do func(args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error { return failed(do(args)) }
}

// failed gives the error of a verb, which may be nil, a status unless it has one. Errors without one are
// cobra's own: those are always about the command line.
func failed(err error) error {
	var e *exit
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &exit{exitError, err}
}

// report says on stderr what went wrong, each problem on a line, and returns the exit status.
func (p *program) report(cmd *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	e := &exit{exitUsage, err}
	errors.As(err, &e)
	// Nobody can be told when stderr is gone; the status remains.
	if e.err != nil {
		for line := range strings.Lines(e.err.Error()) {
			fmt.Fprintf(p.stderr, "strowger: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	if cmd.Name() == "help" {
		cmd = cmd.Root() // help about help explains nothing
	}
	if e.status == exitUsage {
		fmt.Fprintf(p.stderr, "Run '%s --help' for how to use it.\n", cmd.CommandPath())
	}
	return e.status
}
