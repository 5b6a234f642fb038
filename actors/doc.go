// Package actors holds the parts that messages travel through: the connection, the subscriber of its identity,
// the router that owns all names, the service and its topic. Each is an actor with a mailbox of its own, on
// package runtime. What they need from outside stands in ports.go. The package has each message encoded once for
// all who get the same and hands it to the outlets of its addressees; it knows no frame, no network, no HTTP and no
// format of a configuration.
package actors
