package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/config"
	"strowger/system"
	"strowger/system/token"
)

// detect is the value of --fusionpbx without a file.
const detect = "auto"

func (p *program) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `Serve runs the daemon until it is told to stop.

Settings come from FusionPBX's config.conf and its database with --fusionpbx, the file of
--config, the environment (STROWGER_LIMITS__CLIENT_BYTES is limits.client_bytes) and the other
flags, each overriding the ones before. "strowger config defaults" explains them.

SIGTERM and SIGINT close connections at the rate of shutdown.pace and let them finish for
shutdown.timeout; a second one ends the process at once, with status 1. SIGHUP and SIGUSR1
read the settings anew, as "strowger reload" does: those that need no restart take effect,
and nothing changes when one of them is wrong. Windows has no such signals: ^C stops the
daemon there, and "strowger reload" has it read its settings anew.`,
		Example: `  strowger serve
  strowger serve --fusionpbx --config /etc/strowger.yaml
  strowger serve --listen 127.0.0.1:9000 --token-dir /run/strowger --log-level debug
  strowger serve --cluster-listen 10.0.0.1:7001 --cluster-routes 10.0.0.2:7001 --cluster-secret-file /etc/strowger/secret`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unexpected argument %q; a file of settings is --config FILE, FusionPBX's is --fusionpbx=FILE", args[0])
			}
			return nil
		},
	}
	flags := cmd.Flags()
	sources(flags)
	flags.String("listen", "", "accept connections on `HOST:PORT`")
	flags.String("admin", "", "answer health, metrics and the like on `HOST:PORT`; \"\" turns that off")
	flags.String("token-dir", "", "look for token files in `DIR`, an absolute path")
	flags.String("log-level", "", "log from this `LEVEL` on: debug, info, warn or error")
	flags.String("cluster-node", "", "be `NAME` to other nodes of the cluster")
	flags.String("cluster-listen", "", "take other nodes of a cluster on `HOST:PORT`")
	flags.StringSlice("cluster-routes", nil, "other nodes take this one on `HOST:PORT,...`")
	flags.StringSlice("cluster-nats", nil, "meet other nodes at the NATS server `HOST:PORT,...`")
	flags.String("cluster-secret-file", "", "share the secret in `FILE` with other nodes")
	cmd.RunE = verb(func([]string) error {
		heir, err := system.OpenHeir(variable(p.environ, system.UpgradeVariable))
		if err != nil {
			return err
		}
		site := p.newSite()
		load := func() (*config.Config, error) { return p.loadConfig(flags, site) }
		cfg, err := load()
		if err != nil {
			heir.Fail(err)
			return err
		}
		inherited, err := inheritedSockets(p.environ)
		if err != nil {
			return err
		}
		level := new(slog.LevelVar)
		level.Set(logLevel(cfg.Log.Level))
		log, queue := newQueuedLog(p.stderr, cfg.Log.Format, level, int(cfg.Log.QueueBytes))
		d := &daemon{program: p, load: load, cfg: cfg, site: site, level: level, log: log, queue: queue, sockets: inherited, heir: heir}
		return d.run()
	})
	return cmd
}

// sources adds the flags that say which files are read.
func sources(flags *pflag.FlagSet) {
	flags.String("config", "", "read settings from the YAML `FILE`")
	flags.String("fusionpbx", "", "read FusionPBX's config.conf, from where FusionPBX has it or from =`FILE`, and the default settings in its database")
	flags.Lookup("fusionpbx").NoOptDefVal = detect
}

// loadConfig reads all sources of the configuration, which may have changed since the last time.
func (p *program) loadConfig(flags *pflag.FlagSet, site *site) (*config.Config, error) {
	if err := notEmpty(flags, "config", "fusionpbx"); err != nil {
		return nil, err
	}
	fusionPBX := flags.Lookup("fusionpbx").Value.String()
	if fusionPBX == detect {
		if fusionPBX = config.FindFusionPBX(); fusionPBX == "" {
			return nil, errors.New("--fusionpbx: config.conf is neither in /etc/fusionpbx nor in /usr/local/etc/fusionpbx, write --fusionpbx=FILE")
		}
	}
	cfg, err := config.Load(config.Options{
		FusionPBX:     fusionPBX,
		File:          flags.Lookup("config").Value.String(),
		Environ:       p.environ,
		IgnoreEnviron: []string{tokenVariable, passwordVariable, system.UpgradeVariable},
		Settings:      site.settings,
		Flags:         flags,
		FlagKeys: map[string]string{
			"listen":    "listen.address",
			"admin":     "admin.address",
			"token-dir": "tokens.directory",
			"log-level": "log.level",

			"cluster-node":        "cluster.node",
			"cluster-listen":      "cluster.listen",
			"cluster-routes":      "cluster.routes",
			"cluster-nats":        "cluster.nats",
			"cluster-secret-file": "cluster.secret_file",
		},
	})
	if err != nil && allFromFlags(err) {
		return nil, &exit{exitUsage, err}
	}
	if err != nil {
		return nil, fmt.Errorf("configuration:\n%w", err)
	}
	return cfg, nil
}

// allFromFlags tells whether the command line alone is what is wrong with a configuration.
func allFromFlags(err error) bool {
	for _, problem := range problems(err) {
		var e *config.Error
		if !errors.As(problem, &e) || !strings.HasPrefix(e.Source, "--") {
			return false
		}
	}
	return true
}

// problems returns the errors that were joined into err.
func problems(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// tokenDirectory returns where token files are looked for, empty if that directory cannot be used.
func tokenDirectory(cfg *config.Config) string {
	if cfg.Tokens.Directory != "" {
		return cfg.Tokens.Directory
	}
	store, err := token.Open(token.Options{})
	if err != nil {
		return ""
	}
	return store.Dir()
}
