package main

import "github.com/spf13/cobra"

func (p *program) serviceCommand() *cobra.Command {
	cmd := group("service", "Restart, stop and start a service in the router",
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
it at once.`))
	cmd.Long = `Service acts on one service in the router: those of strowger serve --fusionpbx, and
others that live in the daemon. A remote service is looked after by whoever started it.
Each action is in the audit log (docs/console.md).`
	cmd.Example = `  strowger service restart active.calls
  strowger service reset active.calls --admin 127.0.0.1:8081`
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
