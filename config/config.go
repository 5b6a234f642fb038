// Package config reads what the daemon is told to do: the defaults, FusionPBX's
// own config.conf and its default settings, a YAML file, the environment and the
// command line, each overriding the one before it.
//
// What every key means, its default and its bounds stand in one table, in
// keys.go; docs/configuration.md and the output of WriteDefaults are made from it.
package config

import (
	"fmt"

	"strowger/config/policy"
)

// Config is the whole configuration as plain values. One that came from Load
// or Default is valid; one made or changed by hand should pass Validate.
type Config struct {
	Listen      Listen      `koanf:"listen"`
	Limits      Limits      `koanf:"limits"`
	HTTP        HTTP        `koanf:"http"`
	Keepalive   Keepalive   `koanf:"keepalive"`
	Tokens      Tokens      `koanf:"tokens"`
	JWT         JWT         `koanf:"jwt"`
	APIKeys     APIKeys     `koanf:"apikeys"`
	Routing     Routing     `koanf:"routing"`
	Services    Services    `koanf:"services"`
	Dashboard   Dashboard   `koanf:"dashboard"`
	Panel       Panel       `koanf:"panel"`
	Conferences Conferences `koanf:"conferences"`
	Database    Queries     `koanf:"database"`
	Switch      Switch      `koanf:"switch"`
	Cluster     Cluster     `koanf:"cluster"`
	Traces      Traces      `koanf:"traces"`
	Admin       Admin       `koanf:"admin"`
	Heartbeat   Heartbeat   `koanf:"heartbeat"`
	Memory      Memory      `koanf:"memory"`
	Log         Log         `koanf:"log"`
	Shutdown    Shutdown    `koanf:"shutdown"`
	Upgrade     Upgrade     `koanf:"upgrade"`

	// Policies are those of the file, by the name of a service or the class in its token. A policy of the
	// file takes the place of the one that a service inside the router brings, and of the built-in one.
	Policies map[string]policy.Policy `koanf:"-"`

	// FusionPBX is what FusionPBX's own file says. No key of ours sets it.
	FusionPBX FusionPBX `koanf:"-"`

	// Settings are FusionPBX's default settings. Those that are a key of ours too have set it already, unless
	// a source that counts more did.
	Settings Settings `koanf:"-"`

	// SettingsProblem is why the default settings could not be read; nil if they were, or nobody asked.
	SettingsProblem error `koanf:"-"`

	// Warnings are the values in FusionPBX's own file and in its default settings that cannot be used. What
	// they would set has the value that it would have without them.
	Warnings []*Error `koanf:"-"`

	adminDefault string            `koanf:"-"` // admin.address if no source had one
	origins      map[string]origin `koanf:"-"` // of keys that are no defaults
}

// AdminGivesWay tells whether admin.address is the default and nobody chose it. If such an address is
// taken, the router goes without the admin pages.
func (c *Config) AdminGivesWay() bool {
	return c.adminDefault != "" && c.Admin.Address == c.adminDefault
}

// Default returns a new Config in which every key has its default.
// It panics when the table in keys.go does not fit Config.
func Default() *Config {
	cfg, err := newLoader().config()
	if err != nil {
		panic(fmt.Sprintf("config: defaults do not fit: %v", err))
	}
	return cfg
}
