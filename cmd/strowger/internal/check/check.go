package check

import (
	"context"
	"sync"
	"time"

	"strowger/cmd/strowger/internal/check/nginx"
	"strowger/config"
)

// Options says what is checked.
type Options struct {
	Config *config.Config
	// Timeout bounds each question to the network and to systemd.
	Timeout time.Duration
	// Command is how to run the check again, for findings that root would see more of.
	Command string
	// Sources are the flags that name the files of settings, such as --fusionpbx.
	Sources string
	Machine Machine
}

// checker has what several checks need. It is found once, by the first who needs it.
type checker struct {
	Options
	ctx    context.Context
	checks []func(*report)

	sockets func() sockets
	listen  func() holders // of listen.address
	pages   func() pages
	units   func() units
	nginx   func() proxies
	about   func() about
}

// Run makes all checks at the same time. It returns the findings of each check together, in the order of the checks.
func Run(ctx context.Context, o Options) []Finding {
	c := &checker{Options: o, ctx: ctx}
	c.sockets = sync.OnceValue(c.readSockets)
	c.listen = sync.OnceValue(func() holders { return c.holders(o.Config.Listen.Address) })
	c.pages = sync.OnceValue(c.askPages)
	c.units = sync.OnceValue(c.askUnits)
	c.nginx = sync.OnceValue(c.readNginx)
	c.about = sync.OnceValue(c.askDatabase)
	c.checks = []func(*report){
		c.configuration, c.listenPort, c.adminPages, c.routerUnit, c.phpUnits, c.tokens, c.refused, c.bearers, c.cluster, c.proxy, c.origins,
		c.database, c.eventSocket, c.clock, c.descriptors, c.kernel, c.certificates,
	}
	if o.Machine.Windows {
		c.windows()
	}
	reports := make([]report, len(c.checks))
	var asked sync.WaitGroup
	for i, check := range c.checks {
		asked.Go(func() { check(&reports[i]) })
	}
	asked.Wait()
	var all []Finding
	for _, r := range reports {
		all = append(all, r...)
	}
	return all
}

// deadline returns the time that one question has.
func (c *checker) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.ctx, c.Timeout)
}

// asRoot is the command that sees what this user may not.
func (c *checker) asRoot() string {
	if c.Machine.Windows {
		return "as administrator: " + c.Command
	}
	return "sudo " + c.Command
}

// inside says that a service of FusionPBX runs in the router.
const inside = "inside"

// fusionPBX tells whether FusionPBX's settings are used.
func (c *checker) fusionPBX() bool { return c.Config.FusionPBX.File != "" }

// readNginx reads nginx's files.
func (c *checker) readNginx() proxies {
	read, err := nginx.Read(c.Machine.path("/"))
	if err != nil {
		return proxies{err: err}
	}
	return c.sort(read)
}
