package main

import (
	"context"
	"fmt"

	"strowger/system/demo"
	"strowger/system/demo/recorded"
	"strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/link"
)

// playRecordings has FusionPBX's services of calls and conferences live in the router and listen to a simulator that
// plays recordings, until end is called. There is no database, so conferences are called by their extension.
func (d *daemon) playRecordings() (end func(), err error) {
	player, err := recorded.New(d.log)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	sw, err := link.New(eventsocket.Options{Address: "simulator", Password: recorded.Password, Dial: player.Dial, Log: d.log})
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	d.link = sw
	d.services = append(d.services,
		calls.New(calls.Options{Events: sw.Events, Commands: sw.Commands}),
		conferences.New(conferences.Options{Events: sw.Events, Commands: sw.Commands, Database: database.Open(database.Options{}), Hurried: &sw.Hurried}),
		recorded.Service(player, demo.ChaosPermission))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		player.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}
