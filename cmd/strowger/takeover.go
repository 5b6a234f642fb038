package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"strowger/cmd/strowger/internal/dropin"
	"strowger/config"
)

// readyTimeout is how long a router has to become ready unless --timeout says otherwise.
const readyTimeout = time.Minute

func (p *program) fusionPBXCommand() *cobra.Command {
	cmd := group("fusionpbx", "Put strowger in the place of FusionPBX's router and services, and take it back",
		p.fusionPBXInstallCommand(), p.fusionPBXUpdateCommand(), p.fusionPBXRemoveCommand())
	cmd.Long = `The commands write and remove drop-ins, /etc/systemd/system/NAME.service.d/50-strowger.conf, beside
the units of FusionPBX. The units stay as they are, so an upgrade of FusionPBX that writes them
anew changes nothing. Put changes of your own into other drop-ins: systemctl edit websockets

The deb runs them: install when it is installed on a machine with FusionPBX, update after an
upgrade, and remove before it is removed. They need root and say on stderr what they do.`
	cmd.Example = `  strowger fusionpbx install
  strowger fusionpbx remove`
	return cmd
}

func (p *program) fusionPBXInstallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Start strowger in place of FusionPBX's router and services",
		Long: `Install has the unit websockets start strowger. The PHP services that strowger serves itself are
stopped, and a later start of their units runs no PHP and says why. Open pages may have to be
loaded again.

Install first looks whether www-data can read the settings, and changes nothing if not. At the end
it waits until the router is ready. If it does not become ready, FusionPBX's router is started
again. Install may be repeated, and keeps the file of --config unless another is given.`,
		Example: `  strowger fusionpbx install
  strowger fusionpbx install --config /etc/strowger.yaml
  strowger fusionpbx install --router-only`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	file := flags.String("config", "", "have the router read settings from the YAML `FILE` too, an absolute path that www-data can read")
	alone := flags.Bool("router-only", false, "leave all services to PHP")
	timeout := flags.Duration("timeout", readyTimeout, "how long the router has to become ready")
	cmd.RunE = verb(func([]string) error {
		if err := notEmpty(flags, "config"); err != nil {
			return err
		}
		if flags.Changed("config") && !filepath.IsAbs(*file) {
			return usage("--config: %q is no absolute path", *file)
		}
		return p.takeover(*timeout, func(ctx context.Context, h *dropin.Host, program string) error {
			return h.Install(ctx, dropin.Options{
				Router:     dropin.Router{Program: program, Config: *file, Alone: *alone},
				KeepConfig: !flags.Changed("config"),
			})
		})
	})
	return cmd
}

func (p *program) fusionPBXUpdateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Do anew what install did, after a new version or a change of settings",
		Long: `Update writes the drop-ins anew as install wrote them, and restarts the router if it runs. Run it
after a new version of strowger that no package has installed, and after a change of
which services are left to PHP: it starts those in PHP, and stops PHP for the others. It does
nothing where install has not been.`,
		Example: `  strowger fusionpbx update`,
		Args:    noArguments,
	}
	timeout := cmd.Flags().Duration("timeout", readyTimeout, "how long the router has to become ready")
	cmd.RunE = verb(func([]string) error {
		return p.takeover(*timeout, func(ctx context.Context, h *dropin.Host, program string) error { return h.Update(ctx, program) })
	})
	return cmd
}

func (p *program) fusionPBXRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove",
		Short: "Start FusionPBX's own router and services again",
		Long: `Remove removes what install has written. FusionPBX's router is started again, and so is each PHP
service that ran before or starts at boot. Open pages have to be loaded again. It does nothing
where install has not been.`,
		Example: `  strowger fusionpbx remove`,
		Args:    noArguments,
		RunE: verb(func([]string) error {
			return p.takeover(readyTimeout, func(ctx context.Context, h *dropin.Host, _ string) error { return h.Remove(ctx) })
		}),
	}
}

// takeover changes the units of this machine.
func (p *program) takeover(timeout time.Duration, do func(ctx context.Context, h *dropin.Host, program string) error) error {
	if timeout <= 0 {
		return usage("--timeout: %v is not a time to wait", timeout)
	}
	if os.Geteuid() != 0 {
		return errors.New("only root may change units, run it with sudo")
	}
	program, err := p.path()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return do(ctx, &dropin.Host{
		Run:      p.runProgram,
		Settings: p.settingsOf,
		Say:      func(format string, args ...any) { fmt.Fprintf(p.stderr, "strowger: "+format+"\n", args...) },
		Patience: timeout,
	}, program)
}

// path returns where this program is. Without /proc, as in a directory that becomes an image, that is where it was called.
func (p *program) path() (string, error) {
	if path, err := os.Executable(); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(p.command)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// settingsOf returns the configuration of serve with these arguments and this environment.
func (p *program) settingsOf(args, environ []string) (*config.Config, error) {
	as := *p
	as.environ = environ
	serve := as.serveCommand()
	if err := serve.ParseFlags(args); err != nil {
		return nil, fmt.Errorf("arguments of the router: %w", err)
	}
	return as.loadConfig(serve.Flags(), as.newSite())
}

// runProgram runs a program without the settings of whoever runs this one.
func (p *program) runProgram(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	for _, variable := range p.environ {
		if !strings.HasPrefix(variable, "STROWGER_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && len(failed.Stderr) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	return string(out), err
}
