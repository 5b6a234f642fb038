package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) serviceCommand() *cobra.Command {
	cmd := group("service", "Restart, stop, start, add and remove a service in the router",
		p.serviceDeed("restart", "Stop a service and start it again, or start one that waits at once",
			`Restart stops a service in the router and starts it again. What it has not answered
gets 503. One that waits after a failure is started at once; if its breaker is open,
that is a probe.`),
		p.serviceDeed("stop", "Stop a service until it is started",
			`Stop ends a service in the router. It stays down until it is started or the daemon is
restarted. Requests for it get 503.`),
		p.serviceDeed("start", "Start a service that was stopped",
			`Start starts a service in the router that was stopped with strowger service stop.`),
		p.serviceDeed("reset", "Close a service's breaker and start it at once",
			`Reset forgets the failures of a service in the router, closes its breaker and starts
it at once.`),
		p.serviceAddCommand(),
		p.serviceDeed("remove", "Stop a service that was added, and forget it",
			`Remove stops a service that was added while the router ran, and forgets it. Requests
that it has not answered by then get 503. Other services can be stopped but not removed.`))
	cmd.Long = `Service acts on one service in the router: those of strowger serve --fusionpbx, and
others that live in the daemon. A remote service is looked after by whoever started it.
Each action is in the audit log (docs/console.md).`
	cmd.Example = `  strowger service restart active.calls
  strowger service reset active.calls --admin 127.0.0.1:8081`
	return cmd
}

func (p *program) serviceAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add NAME TEMPLATE [KEY=VALUE]...",
		Short: "Add a service that one of the program's templates makes",
		Long: `Add has the router make a service with a template of the program that runs it, and
start it. What keys there are is up to the template. strowger serve has no template; a
program that embeds the router may have some (docs/embedding.md). The service ends with
the daemon, but an upgrade of the running daemon keeps it.
` + consoleHelp,
		Example: `  strowger service add weather.oslo weather city=Oslo`,
		Args:    namedArguments("", "NAME", "TEMPLATE", "[KEY=VALUE]..."),
	}
	f := addConsoleFlags(cmd.Flags())
	cmd.RunE = verb(func(args []string) error {
		values := make(map[string]string)
		for _, arg := range args[2:] {
			key, value, ok := strings.Cut(arg, "=")
			if _, again := values[key]; !ok || key == "" || again {
				return usage("%q: want KEY=VALUE, and each key once", arg)
			}
			values[key] = value
		}
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		return p.printAnswer(f, "service.add", map[string]any{"name": args[0], "template": args[1], "args": values})
	})
	return cmd
}

func (p *program) serviceDeed(deed, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     deed + " NAME",
		Short:   short,
		Long:    long + "\n" + consoleHelp,
		Example: "  strowger service " + deed + " clock",
		Args:    namedArguments("", "NAME"),
	}
	f := addConsoleFlags(cmd.Flags())
	cmd.RunE = verb(func(args []string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		return p.printAnswer(f, "service."+deed, map[string]string{"name": args[0]})
	})
	return cmd
}
