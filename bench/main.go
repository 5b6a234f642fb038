// Bench measures strowger beside what else could do its work: each server a process of its own, one
// after the other on the same machine, round by round.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"strowger/bench/server"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case server.ServeVerb:
			collectOnSignal()
			return serve(args[1:])
		case "report":
			return rereport(args[1:])
		}
	}
	o, err := parseOptions(args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	return measure(o)
}

// collectOnSignal gives memory back when it is asked for by SIGUSR1.
func collectOnSignal() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			debug.FreeOSMemory()
		}
	}()
}
