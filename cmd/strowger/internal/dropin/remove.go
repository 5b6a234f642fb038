package dropin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"strowger/config"
)

// Remove removes everything that Install has written, and starts FusionPBX's router and services again: those that ran before or
// start at boot. It goes on after an error.
func (h *Host) Remove(ctx context.Context) error {
	router, err := h.read(Unit)
	if err != nil {
		return err
	}
	found := router != ""
	errs := []error{h.erase(Unit)}
	var back []Service
	for _, s := range Services(new(config.Config)) {
		old, err := h.read(s.Unit)
		errs = append(errs, err, h.erase(s.Unit))
		if old != "" {
			s.Ran = ranLine.MatchString(old)
			back, found = append(back, s), true
		}
	}
	if !found {
		h.Say("strowger is not in the place of FusionPBX's router; nothing to do")
		return errors.Join(errs...)
	}
	active := h.is(ctx, "active", Unit)
	errs = append(errs, h.systemctl(ctx, "daemon-reload"))
	switch {
	case h.unitFile(Unit) == "":
		errs = append(errs, h.systemctl(ctx, "stop", Unit+".service"))
	case active || h.is(ctx, "enabled", Unit):
		errs = append(errs, h.systemctl(ctx, "restart", Unit+".service"))
	}
	errs = append(errs, h.startPHP(ctx, back))
	if err := errors.Join(errs...); err != nil {
		// The files are gone, so another remove would find nothing.
		return fmt.Errorf("%w\nwhen that is mended: systemctl daemon-reload && systemctl restart %s", err, strings.Join(names(back), " "))
	}
	h.Say("FusionPBX's own router and services are back; pages that are open have to be loaded again")
	return nil
}

// names returns the router's unit and those of services.
func names(services []Service) []string {
	all := []string{Unit}
	for _, s := range services {
		all = append(all, s.Unit)
	}
	return all
}

// startPHP starts the units of services that ran before, or start at boot. It goes on after an error.
func (h *Host) startPHP(ctx context.Context, back []Service) error {
	var errs []error
	var started []string
	for _, s := range back {
		if h.unitFile(s.Unit) == "" || !s.Ran && !h.is(ctx, "enabled", s.Unit) {
			continue
		}
		if err := h.systemctl(ctx, "start", s.Unit+".service"); err != nil {
			errs = append(errs, err)
			continue
		}
		started = append(started, s.Unit)
	}
	if len(started) > 0 && h.systemd() {
		h.Say("PHP runs again in: %s", strings.Join(started, " "))
	}
	return errors.Join(errs...)
}
