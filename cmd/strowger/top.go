package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"strowger/client"
)

func (p *program) topCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the running daemon on a terminal",
		Long: `Top shows what the running daemon does, once a second: rates, services, and the
connections for which most waits. The key s changes the order of the connections, p
stops the picture and lets it go on, q ends.
` + consoleHelp,
		Example: `  strowger top
  strowger top --admin 127.0.0.1:8081`,
		Args: noArguments,
	}
	f := addConsoleFlags(cmd.Flags())
	cmd.RunE = verb(func([]string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		return p.top(f)
	})
	return cmd
}

// terminal returns what top reads from and draws on.
func (p *program) terminal() (in, out *os.File, err error) {
	in, isIn := p.stdin.(*os.File)
	out, isOut := p.stdout.(*os.File)
	if !isIn || !isOut || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, nil, errors.New("top needs a terminal; strowger status prints the same once")
	}
	return in, out, nil
}

func (p *program) top(f *consoleFlags) error {
	in, out, err := p.terminal()
	if err != nil {
		return err
	}
	interrupted, stop := p.untilInterrupted()
	defer stop()
	ctx, end := context.WithCancel(interrupted) // ends what is asked when top ends
	defer end()
	first, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	c, err := p.openConsole(first, f)
	if err != nil {
		return err
	}
	defer c.close()
	screen := &topScreen{console: c, ctx: ctx, wait: f.timeout}
	show := tea.NewProgram(screen, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithEnvironment(p.environ), tea.WithoutSignalHandler())
	deaf := c.client.Listen(consoleName, func(m client.Message) {
		var pulse topPulse
		if m.Topic == "pulse" && json.Unmarshal(m.Payload, &pulse) == nil {
			show.Send(pulse)
		}
	})
	defer deaf()
	defer everySecond(func() { show.Send(topTick{}) })()
	_, err = show.Run()
	switch {
	case ctx.Err() != nil, err == nil:
		return nil
	default:
		return fmt.Errorf("top: %w", err)
	}
}

// everySecond calls f every second until stop is called.
func everySecond(f func()) (stop func()) {
	ticker, end := time.NewTicker(time.Second), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ticker.C:
				f()
			case <-end:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(end)
		running.Wait()
	}
}
