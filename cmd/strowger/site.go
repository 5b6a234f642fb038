package main

import (
	"context"
	"errors"
	"time"

	"strowger/config"
	"strowger/system/fusionpbx/database"
)

// retrySettings is how long the daemon waits for a database that did not answer before it asks again for
// FusionPBX's default settings.
const retrySettings = 15 * time.Second

// site reads FusionPBX's default settings and remembers them for when its database does not answer. It is for
// one goroutine at a time.
type site struct {
	read   func(ctx context.Context, o database.Options) ([]config.Setting, error)
	every  time.Duration
	server config.Database // that the last settings are of
	last   config.Settings
	// missing is what to ask again later; nil: nothing, because the last attempt went well, or a further one
	// would not.
	missing *database.Options
}

func newSite() *site { return &site{read: database.ReadSettings, every: retrySettings} }

// settings is for config.Options. With an error it returns the settings of the last time, if they are of the
// same database.
func (s *site) settings(cfg *config.Config) (config.Settings, error) {
	o := databaseOptions(cfg)
	s.missing = nil
	if !database.Named(&o.Server) {
		return nil, nil
	}
	err := s.ask(o)
	if s.server != o.Server {
		return nil, err
	}
	return s.last, err
}

// ask reads the settings and notes what came of it.
func (s *site) ask(o database.Options) error {
	found, err := s.read(context.Background(), o)
	unavailable, ok := errors.AsType[*database.UnavailableError](err)
	switch {
	case err == nil:
		s.server, s.last, s.missing = o.Server, found, nil
	case !ok || !unavailable.Permanent:
		s.missing = &o
	}
	return err
}

// late gets the time when the settings should be asked for again; nil if they need not be.
func (s *site) late() <-chan time.Time {
	if s == nil || s.missing == nil {
		return nil
	}
	return time.After(s.every)
}

// arrived asks for missing settings again and reports whether they are there, which means that the
// configuration is to be read anew.
func (s *site) arrived() bool { return s.missing != nil && s.ask(*s.missing) == nil }

// databaseOptions returns what the configuration says about FusionPBX's database.
func databaseOptions(cfg *config.Config) database.Options {
	d := &cfg.Database
	return database.Options{
		Server: cfg.FusionPBX.Database, Timeout: d.Timeout, Connections: d.Connections, Rows: d.Rows, NameAge: d.NameAge, Names: d.Names,
	}
}
