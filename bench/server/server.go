// Package server starts the servers that are compared, each as a process of its own.
package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"strowger/bench/dialect"
	"strowger/bench/feed"
	"strowger/bench/process"
)

// Spec is one server that takes part.
type Spec struct {
	// Name is the server's in flags and results.
	Name string
	// Title is the server's in tables.
	Title string
	// Collects tells whether SIGUSR1 makes it collect garbage and give memory back.
	Collects bool
	// Local tells whether it can answer requests by itself, Remote whether it passes them on to a
	// service that is a connection.
	Local, Remote bool
	// Topics tells whether it has many topics and services, told apart by their names.
	Topics bool
	// Filters tells whether it filters by the policy of dialect.GuardedKey.
	Filters bool
	// Stalls tells whether one reader that stalls stops the whole server.
	Stalls bool
	// MaxConnections is how many it can hold; 0 means as many as files may be open.
	MaxConnections int
	// Corpus is the directory of the recordings that a switch plays to the server's services; empty if it has none
	// that listen to a switch.
	Corpus string
	// Keeps tells whether services remember calls.
	Keeps bool
	// Core, unless empty, is the list of processors that the server may use.
	Core string

	start starter
	site  siteStarter // in place of start, if there is a Corpus
}

// Load is a kind of load for which a server may be set up.
type Load string

// The kinds of load.
const (
	Usual Load = ""
	Idle  Load = "idle" // many connections that do nothing
	Bulk  Load = "bulk" // many events to many subscribers, where nobody asks for latency
	// Switch is a switch whose events services pass on. Only servers with a Corpus can be made to do that.
	Switch Load = "switch"
)

// starter makes the command of a server for a kind of load; its files are in dir.
type starter func(load Load, dir string) (*exec.Cmd, dialect.Dialect, error)

// Running is a server that listens.
type Running struct {
	*process.Process
	dialect.Dialect
	// Switch is what the services listen to, nil if there is none.
	Switch *feed.Feed
	// Profiles is where the server has Go's profiles, empty if it has none.
	Profiles string

	services []*process.Process // that are processes of their own
	dir      string
}

// Start runs the server with its settings for the load. Its files, the tokens above all, are in a new directory in memory.
func (s Spec) Start(load Load) (*Running, error) {
	dir, err := os.MkdirTemp(memory(), "strowger-bench-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	if s.Corpus != "" {
		return s.startSite(dir)
	}
	cmd, d, err := s.start(load, dir)
	if err == nil {
		var p *process.Process
		if p, err = process.Start(cmd); err == nil {
			return &Running{Process: p, Dialect: d, dir: dir}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s: %w", s.Name, err), os.RemoveAll(dir))
}

// Usage returns what the server's processes have used together.
func (r *Running) Usage() (process.Usage, error) {
	sum, err := process.Read(r.PID())
	for _, p := range r.services {
		usage, failed := process.Read(p.PID())
		err = errors.Join(err, failed)
		sum.CPU += usage.CPU
		sum.RSS += usage.RSS
		sum.Peak += usage.Peak
	}
	return sum, err
}

// Alive returns an error if one of the server's processes has ended.
func (r *Running) Alive() error {
	err := r.Process.Alive()
	for _, p := range r.services {
		err = errors.Join(err, p.Alive())
	}
	return err
}

// Stop ends the server and removes its files.
func (r *Running) Stop() error {
	var err error
	for _, p := range r.services {
		err = errors.Join(err, p.Stop())
	}
	err = errors.Join(err, r.Process.Stop())
	if r.Switch != nil {
		err = errors.Join(err, r.Switch.Close())
	}
	if closer, ok := r.Dialect.(io.Closer); ok {
		err = errors.Join(err, closer.Close())
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

// memory is a directory that is not on a disk, if there is one.
func memory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}
