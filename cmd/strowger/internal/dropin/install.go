package dropin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"strowger/config"
)

// Options says how strowger is installed.
type Options struct {
	Router
	// KeepConfig has the router keep its file of --config, if it has one already.
	KeepConfig bool
}

// Install puts strowger in the place of FusionPBX's router, and of the services that it serves itself. It may be repeated. If the
// router does not become ready the first time, Install takes everything back.
func (h *Host) Install(ctx context.Context, o Options) error {
	path := h.unitFile(Unit)
	if path == "" {
		return fmt.Errorf("there is no unit %s: have FusionPBX install its services first (its core/upgrade/upgrade.php --services)", Unit)
	}
	if target, err := os.Readlink(path); err == nil && target == os.DevNull {
		return fmt.Errorf("the unit %s is masked: systemctl unmask %s", Unit, Unit)
	}
	// Without FusionPBX's own unit there would be no way back.
	if unit, err := os.ReadFile(path); err == nil && strings.Contains(string(unit), "strowger") {
		return fmt.Errorf("%s starts strowger itself, as `deploy/fusionpbx over` of an earlier version has it: run `sh deploy/fusionpbx back` of that version first, or put FusionPBX's unit back; nothing was changed", path)
	}
	old, err := h.read(Unit)
	if err != nil {
		return err
	}
	if former, ok := parseRouter(old); ok && o.KeepConfig {
		o.Config = former.Config
	}
	if err := h.tryOut(ctx, o.Router); err != nil {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	err = h.start(ctx, o.Router)
	if err == nil {
		err = h.settle(ctx, o.Router)
	}
	if err != nil && old == "" {
		// Also when the operator does not want to wait any longer.
		return errors.Join(fmt.Errorf("%w; so everything is taken back", err), h.Remove(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return err
	}
	h.Say("strowger is in the place of FusionPBX's router; to go back: strowger fusionpbx remove")
	return nil
}

// Update writes all files anew after an upgrade of strowger or a change of its settings, as Install wrote them, and restarts the
// router if it runs. It does nothing where Install has not been.
func (h *Host) Update(ctx context.Context, program string) error {
	old, err := h.read(Unit)
	if err != nil {
		return err
	}
	former, ok := parseRouter(old)
	if !ok {
		h.Say("strowger is not in the place of FusionPBX's router; nothing to do")
		return nil
	}
	former.Program = program
	if err := h.tryOut(ctx, former); err != nil {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	if h.systemd() && !h.is(ctx, "active", Unit) {
		if err := errors.Join(h.write(Unit, former.text()), h.systemctl(ctx, "daemon-reload")); err != nil {
			return err
		}
		h.Say("the unit %s does not run, and was not started", Unit)
		return h.services(ctx, former, nil)
	}
	if err := h.start(ctx, former); err != nil {
		return err
	}
	return h.settle(ctx, former)
}

// arguments are those of serve.
func (r Router) arguments() []string {
	args := []string{"--fusionpbx"}
	if r.Config != "" {
		args = append(args, "--config", r.Config)
	}
	return args
}

// tryOut looks whether the router could start: its user must be able to read its settings.
func (h *Host) tryOut(ctx context.Context, r Router) error {
	if err := r.check(); err != nil {
		return err
	}
	args := append([]string{"-u", "www-data", "--", r.Program, "config", "show"}, r.arguments()...)
	if _, err := h.Run(ctx, "runuser", args...); err != nil {
		return fmt.Errorf("www-data cannot run strowger with its settings: %w", err)
	}
	return nil
}

// start starts the router.
func (h *Host) start(ctx context.Context, r Router) error {
	if err := errors.Join(h.write(Unit, r.text()), h.systemctl(ctx, "daemon-reload")); err != nil {
		return err
	}
	// The package's own unit wants the same port.
	if h.is(ctx, "enabled", "strowger") || h.is(ctx, "active", "strowger") {
		if err := h.systemctl(ctx, "disable", "--now", "strowger.service"); err != nil {
			return err
		}
		h.Say("strowger.service, a router without FusionPBX, was stopped and disabled")
	}
	return h.systemctl(ctx, "restart", Unit+".service")
}

// settle waits until the router is ready, and then has the units of the services agree with it.
func (h *Host) settle(ctx context.Context, r Router) error {
	args, environ, running := h.running(ctx)
	if !running {
		args, environ = r.arguments(), r.environ()
	}
	cfg, err := h.Settings(args, environ)
	if err != nil {
		return err
	}
	if h.systemd() {
		if err := h.await(ctx, cfg); err != nil {
			return err
		}
	}
	return h.services(ctx, r, cfg)
}

// running returns the arguments and the environment of the router that runs, as far as they are settings. They may come from any
// drop-in and any file that systemd reads.
func (h *Host) running(ctx context.Context) (args, environ []string, ok bool) {
	if !h.systemd() {
		return nil, nil, false
	}
	out, err := h.Run(ctx, "systemctl", "show", "--property=MainPID", "--value", Unit+".service")
	pid, convErr := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || convErr != nil || pid == 0 {
		return nil, nil, false
	}
	words, err := h.proc(pid, "cmdline")
	if err != nil || len(words) < 2 || words[1] != "serve" {
		return nil, nil, false
	}
	variables, err := h.proc(pid, "environ")
	if err != nil {
		return nil, nil, false
	}
	for _, variable := range variables {
		if strings.HasPrefix(variable, "STROWGER_") {
			environ = append(environ, variable)
		}
	}
	return words[2:], environ, true
}

// proc returns the strings in a file of a process.
func (h *Host) proc(pid int, name string) ([]string, error) {
	data, err := os.ReadFile(h.path(fmt.Sprintf("/proc/%d/%s", pid, name)))
	if err != nil || len(data) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00"), nil
}

// services gives each unit of a service its drop-in if strowger serves it, and otherwise takes it away. Without a configuration
// it asks for the one that the drop-in of the router gives.
func (h *Host) services(ctx context.Context, r Router, cfg *config.Config) error {
	if cfg == nil {
		var err error
		if cfg, err = h.Settings(r.arguments(), r.environ()); err != nil {
			return err
		}
	}
	var stop, back []Service
	for _, s := range Services(cfg) {
		old, err := h.read(s.Unit)
		if err != nil {
			return err
		}
		s.Ran = ranLine.MatchString(old)
		switch {
		case s.Served:
			active := h.is(ctx, "active", s.Unit)
			s.Ran = s.Ran || old == "" && active
			if err := h.write(s.Unit, s.text()); err != nil {
				return err
			}
			if active {
				stop = append(stop, s)
			}
		case old != "":
			if err := h.erase(s.Unit); err != nil {
				return err
			}
			back = append(back, s)
		}
	}
	// PHP ends as its own unit says. With the drop-in read, the unit would count as failed: its command may not end by a signal.
	for _, s := range stop {
		if err := h.systemctl(ctx, "stop", s.Unit+".service"); err != nil {
			return err
		}
		h.Say("%s was stopped: strowger serves %s", s.Unit, s.Name)
	}
	if err := h.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	return h.startPHP(ctx, back)
}
