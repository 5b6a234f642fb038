// Package eventsocket is a client of FreeSWITCH's event socket.
//
// A Client keeps one connection to the switch. It logs in, asks for the events that its subscriptions
// want, sends commands, and connects again with the same subscriptions when the connection ends.
// Everything it needs is in the standard library.
//
// # Events
//
// A Subscription has a bounded queue of its own. The goroutine that reads from the switch never waits
// for a subscription, because the switch disconnects a client that reads too slowly. A subscription
// whose queue is full loses its queue and gets a Gap instead: its owner must then ask the switch for
// a new snapshot. The same happens after each connection.
//
//	calls, err := client.Subscribe("calls", eventsocket.Match("Event-Name", "CHANNEL_CREATE"))
//	for {
//		delivery, err := calls.Next(ctx)
//		...
//	}
//
// # Commands
//
// A Command is made of constants and of values that constructors have checked, such as UUID and
// Destination. A string that came over the network cannot become part of a command in another way, so
// it can neither end the line nor add an argument.
//
//	uuid, err := eventsocket.ParseUUID(request.UniqueID)
//	reply, err := client.Do(ctx, eventsocket.API("uuid_kill", uuid))
//
// The switch runs an api command in the thread that sends the connection's events, so a slow command
// delays events. A program with slow commands uses two clients: one with subscriptions, and one
// without, for commands.
package eventsocket
