package eventsocket_test

import (
	"context"
	"fmt"
	"os"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// A service subscribes, takes a snapshot after each gap, and keeps it true by events.
func Example() {
	recording, err := switchsim.Load(os.DirFS("../../../testdata/fusionpbx/corpus"), "calls-busy")
	if err != nil {
		fmt.Println(err)
		return
	}
	sim, err := switchsim.Start(recording, switchsim.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- sim.Play(ctx) }()

	client, err := eventsocket.New(eventsocket.Options{Address: sim.Addr(), Password: "ClueCon"})
	if err != nil {
		fmt.Println(err)
		return
	}
	calls, err := client.Subscribe("calls", eventsocket.Match("Event-Name", "CHANNEL_CREATE"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()

	for created := 0; created < 2; {
		delivery, err := calls.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		switch delivery.Kind {
		case eventsocket.KindGap:
			reply, err := client.Do(ctx, eventsocket.API("show channels as json"))
			fmt.Printf("snapshot %q %v\n", reply.Body, err)
		case eventsocket.KindEvent:
			created++
			fmt.Println(delivery.Event.Name(), "to", delivery.Event.Get("Caller-Destination-Number"))
		}
	}
	<-played
	cancel()
	<-ended
	// Output:
	// snapshot "{\"row_count\": 0}\n" <nil>
	// CHANNEL_CREATE to 1004
	// CHANNEL_CREATE to 1004
}

// What a client sent becomes part of a command through a constructor, or not at all.
func ExampleParseUUID() {
	for _, s := range []string{"02e64483-a333-4257-bcb4-76492cdeffe1", "zz\n\napi system id"} {
		uuid, err := eventsocket.ParseUUID(s)
		fmt.Println(eventsocket.API("uuid_kill", uuid), err)
	}
	// Output:
	// uuid_kill 02e64483-a333-4257-bcb4-76492cdeffe1 <nil>
	//  eventsocket: invalid argument: not a UUID
}
