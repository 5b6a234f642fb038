package main

import (
	"context"
	"log/slog"
	"net"

	"strowger/config"
	"strowger/system"
)

// router is what serve needs of the actor system.
type router interface {
	// Start returns once connections are accepted.
	Start() error
	Addr() net.Addr
	// Reload applies what needs no restart and returns all that differs.
	Reload(cfg *config.Config) []config.Change
	// Stop lets connections and services finish until ctx ends, then cuts them off.
	Stop(ctx context.Context) error
	// Failed gets the error with which the system gave up.
	Failed() <-chan error
}

// newSystem returns the actor system as a router.
func newSystem(cfg *config.Config, log *slog.Logger) (router, error) {
	s, err := system.New(system.Options{Config: cfg, Log: log})
	if err != nil {
		return nil, err
	}
	return s, nil
}
