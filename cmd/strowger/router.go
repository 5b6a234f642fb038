package main

import (
	"context"
	"net"
	"os/exec"

	"strowger/config"
	"strowger/system"
	"strowger/system/dashboard"
	"strowger/system/service"
)

// router is what serve needs of the actor system.
type router interface {
	// Start returns once connections are accepted.
	Start() error
	Addr() net.Addr
	// Reload applies what needs no restart and returns what has changed. With an error nothing has.
	Reload(cfg *config.Config) (*system.Reloaded, error)
	// Connections returns how many connections are open, Services how many names services offer.
	Connections() int
	Services() int
	// Healthy returns nil as long as the core of the router gets on. It waits for nobody.
	Healthy() error
	// Upgrade hands everything over to another process. Without an error all that is left is Stop.
	Upgrade(ctx context.Context, cmd *exec.Cmd) (*system.Upgraded, error)
	// Stop lets connections and services finish until ctx ends, then cuts them off.
	Stop(ctx context.Context) error
	// Failed gets the error with which the system gave up.
	Failed() <-chan error
}

// newSystem returns the actor system as a router, with services that live in it besides the built-in
// ones.
func newSystem(o system.Options, services ...*service.Service) (router, error) {
	if d := o.Config.Dashboard; d.Enabled {
		services = append(services, dashboard.New(dashboard.Options{
			CPUInterval: d.CPUInterval, NetworkInterval: d.NetworkInterval, Interface: d.NetworkInterface,
		}))
	}
	fusion, err := fusionPBX(&o)
	if err != nil {
		return nil, err
	}
	s, err := system.New(o, append(services, fusion...)...)
	if err != nil {
		return nil, err
	}
	return s, nil
}
