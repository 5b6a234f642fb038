package main

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"strowger/config"
	"strowger/system"
	"strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/link"
	"strowger/system/fusionpbx/panel"
	"strowger/system/service"
)

// inside says that a service of FusionPBX runs in the daemon.
const inside = "inside"

// fusionPBX returns the services of FusionPBX that run in the daemon, and gives o the link to the switch and the
// database that they need. There are none if FusionPBX's config.conf was not read.
func fusionPBX(o *system.Options) ([]*service.Service, error) {
	cfg := o.Config
	if cfg.FusionPBX.File == "" {
		return nil, nil
	}
	sw, err := newLink(cfg, o.Log)
	if err != nil {
		return nil, err
	}
	db := database.Open(database.Options{}) // says that there is none
	if database.Named(&cfg.FusionPBX.Database) {
		opts := databaseOptions(cfg)
		opts.Log = o.Log
		db = database.Open(opts)
		o.Database = db
	}
	name, err := system.NodeName(cfg)
	if err != nil {
		return nil, err
	}
	node := event.Node(name)
	var services []*service.Service
	if cfg.Services.ActiveCalls == inside {
		services = append(services, calls.New(calls.Options{Events: sw.Events, Commands: sw.Commands, Timeout: cfg.Switch.CommandTimeout, Node: node}))
	}
	if cfg.Services.ActiveConferences == inside {
		services = append(services, conferences.New(conferences.Options{
			Events: sw.Events, Commands: sw.Commands, Database: db, Timeout: cfg.Switch.CommandTimeout,
			PushWait: cfg.Conferences.PushWait, PushQueue: cfg.Conferences.PushQueue, Hurried: &sw.Hurried, Node: node,
		}))
	}
	if cfg.Services.OperatorPanel == inside {
		counts := new(panel.Counts)
		o.Panel = counts
		services = append(services, panel.New(panel.Options{
			Events: sw.Events, Commands: sw.Commands, Database: db, Timeout: cfg.Switch.CommandTimeout, AgentStats: statsInterval(cfg),
			CallsPerMinute: cfg.Panel.CallsPerMinute, RecordingQuestions: cfg.Panel.RecordingQuestions, Counts: counts, Node: node,
		}))
	}
	if len(services) > 0 {
		o.Switch = sw
	}
	return services, nil
}

// statsInterval returns the time between two pushes of the statistics of agents; less than 0 means never.
func statsInterval(cfg *config.Config) time.Duration {
	if cfg.Panel.AgentStatsInterval == 0 {
		return -1
	}
	return cfg.Panel.AgentStatsInterval
}

func newLink(cfg *config.Config, log *slog.Logger) (*link.Link, error) {
	at, limits := cfg.FusionPBX.EventSocket, cfg.Switch
	sw, err := link.New(eventsocket.Options{
		Address: net.JoinHostPort(at.Host, strconv.Itoa(at.Port)), Password: string(at.Password), CommandTimeout: limits.CommandTimeout,
		MaxEvent: int(limits.EventBytes), MaxBody: int(limits.ReplyBytes), QueueEvents: limits.QueueEvents, QueueBytes: int(limits.QueueBytes),
		Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("event socket of %s: %w", cfg.FusionPBX.File, err)
	}
	return sw, nil
}
