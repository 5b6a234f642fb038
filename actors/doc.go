// Package actors holds the parts that messages travel through: the connection, the subscriber
// behind it, the router that owns all names, the service and its topic. Each is an actor with a
// mailbox of its own. What they need from outside stands in ports.go. The package has each message
// encoded once, by the Egress, and gives it to the Socket of each connection that is to get it. It knows
// no frame, no network, no HTTP and no format of a configuration.
package actors
