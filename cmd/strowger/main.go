// Command strowger routes messages between browsers and services over WebSocket. It is the
// daemon and the tools around it, one file a verb.
//
// JSON goes to stdout and everything else to stderr. The exit status is 0 when all went well, 1
// after an error, 2 when the command line is wrong and 3 when the router or a service refused.
package main

import (
	"io"
	"os"
	"os/signal"

	"strowger/cmd/strowger/internal/check"
	"strowger/system"
	"strowger/system/service"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

// run carries out one command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	p := &program{
		stdin:     stdin,
		stdout:    stdout,
		stderr:    stderr,
		environ:   environ,
		notify:    notify,
		newRouter: newSystem,
		newSite:   newSite,
		machine:   check.Local,
		command:   os.Args[0],
	}
	// The file may be replaced later, and then has the same name.
	if executable, err := os.Executable(); err == nil {
		p.executable = executable
	}
	return p.run(args)
}

// notify passes the signals on to c until stop is called.
func notify(c chan<- os.Signal, signals ...os.Signal) (stop func()) {
	signal.Notify(c, signals...)
	return func() { signal.Stop(c) }
}

// program is everything outside that the verbs use.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string // name=value
	notify         func(c chan<- os.Signal, signals ...os.Signal) (stop func())
	newRouter      func(o system.Options, services ...*service.Service) (router, error)
	newSite        func() *site
	machine        func() check.Machine // where check looks
	command        string               // how the program was called; empty means strowger
	executable     string               // the file of the program; empty if it is not known
	arguments      []string             // of the command line
}

// run carries out one command line and returns the exit status.
func (p *program) run(args []string) int {
	p.arguments = args
	root := p.rootCommand()
	// With nil cobra would take the arguments of the process.
	root.SetArgs(append([]string{}, args...))
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	addCompletion(root)
	addManual(root)
	cmd, err := root.ExecuteC()
	return p.report(cmd, err)
}
