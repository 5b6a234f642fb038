// Package actors holds the parts that messages travel through: the connection, the subscriber
// behind it, the router that owns all names, the service and its topic. Each is an actor with a
// mailbox of its own. What they need from outside stands in ports.go; the package knows no
// socket, no HTTP, no configuration format.
package actors
