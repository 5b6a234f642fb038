package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/config"
	"strowger/system/demo"
	"strowger/system/demo/page"
	"strowger/system/service"
)

func (p *program) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a router at work, with simulated calls and a page to watch them",
		Long: `Demo runs a router with services that live in it: a clock, the calls of a simulated
telephone switch with two tenants, and the load of this machine. FusionPBX's services of
calls and conferences live in it too, and listen to a simulator that plays recordings of
a FreeSWITCH. Demo prints the address of a page, tokens for people with different
permissions, and command lines to copy. The console, which shows and restarts the
services, is on the admin port.

It listens on loopback only, keeps its tokens in a directory of its own and takes no
settings but these flags. With --chaos the services panic, hang and leak by schedule.`,
		Example: `  strowger demo
  strowger demo --chaos
  strowger demo --listen 127.0.0.1:9000 --page 127.0.0.1:9001 --chaos --chaos-interval 2s`,
		Args: noArguments,
	}
	var f demoFlags
	flags := cmd.Flags()
	flags.String("listen", "", "accept connections on `HOST:PORT` of this machine (default 127.0.0.1:8080)")
	flags.StringVar(&f.page, "page", "127.0.0.1:8088", "serve the page on `HOST:PORT` of this machine")
	flags.StringVar(&f.admin, "admin", defaultAdmin, "serve the console on `HOST:PORT` of this machine; \"\" turns it off")
	flags.BoolVar(&f.chaos, "chaos", false, "break the services by schedule")
	flags.DurationVar(&f.interval, "chaos-interval", 5*time.Second, "mean `TIME` between two faults")
	flags.String("log-level", "", "log from this `LEVEL` on: debug, info, warn or error (default errors, without stacks)")
	cmd.RunE = verb(func([]string) error { return p.demo(f, flags) })
	return cmd
}

// demoFlags are what demo is told besides settings.
type demoFlags struct {
	page     string
	admin    string
	chaos    bool
	interval time.Duration
}

// defaultAdmin is where the console is unless a flag says otherwise. A daemon may have the address.
const defaultAdmin = "127.0.0.1:8081"

// adminOfDemo returns HOST:PORT for the admin port, with a port that was free a moment ago. It returns nothing if there is
// to be none, or if nobody chose the address and it is taken.
func adminOfDemo(address string, chosen bool) (string, error) {
	if address == "" {
		return "", nil
	}
	if err := loopback("--admin", address); err != nil {
		return "", err
	}
	probe, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		address = probe.Addr().String()
		return address, probe.Close()
	case chosen:
		return "", fmt.Errorf("serve the console: %w; --admin names another address", err)
	}
	return "", nil
}

func (p *program) demo(f demoFlags, flags *pflag.FlagSet) (err error) {
	if f.interval <= 0 {
		return usage("--chaos-interval: %v is not a time to wait", f.interval)
	}
	if err := loopback("--page", f.page); err != nil {
		return err
	}
	if f.admin, err = adminOfDemo(f.admin, flags.Changed("admin")); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "strowger-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for tokens: %w", err)
	}
	// What is left are tokens that nobody takes any more.
	remove := func() { _ = os.RemoveAll(dir) }
	defer remove()
	load := func() (*config.Config, error) { return demoConfig(flags, f, dir) }
	cfg, err := load()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	level.Set(logLevel(cfg.Log.Level))
	log, queue := newQueuedLog(p.stderr, cfg.Log.Format, level, int(cfg.Log.QueueBytes))
	if !flags.Changed("log-level") {
		log = slog.New(brief{log.Handler()})
	}
	chaos := demo.NewChaos(demo.ChaosOptions{Interval: f.interval, Log: log})
	o := demo.Options{Chaos: chaos}
	d := &daemon{program: p, load: load, cfg: cfg, level: level, log: log, queue: queue, ended: remove}
	d.services = []*service.Service{demo.Clock(o), demo.Calls(o)}
	ended, err := d.playRecordings()
	if err != nil {
		return err
	}
	defer ended()
	d.started = func(r router) (end func(), err error) {
		s := &show{program: p, flags: f, router: r.Addr().String(), tokens: dir, chaos: chaos, log: log}
		return s.begin()
	}
	return d.run()
}

// demoConfig returns the defaults and what the flags say.
func demoConfig(flags *pflag.FlagSet, f demoFlags, tokens string) (*config.Config, error) {
	cfg, err := config.Load(config.Options{Flags: flags, FlagKeys: map[string]string{
		"listen":    "listen.address",
		"log-level": "log.level",
	}})
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	if err := loopback("--listen", cfg.Listen.Address); err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(f.page)
	if err != nil {
		return nil, usage("--page: %w", err)
	}
	// A page of somebody's own is in a file, or on a server of this machine under any of its names. What keeps strangers out are the
	// tokens.
	cfg.Listen.Origins = []string{host, "localhost", "127.0.0.1", "::1", "null", "file://"}
	cfg.Listen.Client, cfg.Listen.HTTP = true, true
	cfg.Tokens.Directory = tokens
	cfg.Admin.Address = f.admin
	cfg.Admin.Payloads = true // so that dead letters can be replayed: nothing that people say is in them
	if !flags.Changed("log-level") {
		cfg.Log.Level = "error"
	}
	return cfg, cfg.Validate()
}

// loopback refuses an address that others can reach.
func loopback(flag, address string) error {
	if err := page.CheckLoopback(address); err != nil {
		return usage("%s: %w", flag, err)
	}
	return nil
}
