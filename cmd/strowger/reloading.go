package main

import (
	"context"

	"strowger/config"
	"strowger/system"
)

// reloaded is what became of a reload.
type reloaded struct {
	done *system.Reloaded
	err  error // nothing was changed
}

// ask has the settings read anew, as a signal does, and returns what became of it. It is for system.Options.
func (d *daemon) ask(ctx context.Context) (*system.Reloaded, error) {
	answer := make(chan reloaded, 1)
	select {
	case d.asked <- answer:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-answer:
		return a.done, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// reload reads the settings anew, applies those that need no restart, and logs what became of it.
func (d *daemon) reload(r router) reloaded {
	d.manager.reloading()
	defer d.manager.ready(r)
	cfg, err := d.load()
	if err == nil {
		var done *system.Reloaded
		if done, err = d.apply(r, cfg); err == nil {
			return reloaded{done: done}
		}
	}
	for _, problem := range problems(err) {
		d.log.Error("settings are wrong, the running ones stay", "err", problem)
	}
	return reloaded{err: err}
}

// apply gives the router settings.
func (d *daemon) apply(r router, cfg *config.Config) (*system.Reloaded, error) {
	d.warn(cfg)
	done, err := r.Reload(cfg)
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		done.Warnings = append(done.Warnings, w.Error())
	}
	if cfg.SettingsProblem != nil {
		done.Warnings = append(done.Warnings, "FusionPBX's default settings cannot be read: "+cfg.SettingsProblem.Error())
	}
	// What changes is logged by the old and by the new level.
	next := logLevel(cfg.Log.Level)
	d.level.Set(min(d.level.Level(), next))
	changes := len(done.Changes())
	for _, change := range done.Applied {
		d.log.Info("setting changed", "key", change.Key, "old", change.Old, "new", change.New)
	}
	for _, change := range done.Restart {
		d.log.Info("setting changed, takes effect after a restart", "key", change.Key, "old", change.Old, "new", change.New)
	}
	if c := done.Certificate; c != nil {
		changes++
		d.log.Info("certificate changed", "file", c.File, "old", c.Old.String(), "new", c.New.String())
	}
	d.log.Info("settings reloaded", "changes", changes)
	d.level.Set(next)
	return done, nil
}
