// Package natsbus is a bus of NATS: the client of an external one, or a NATS server inside the daemon to which the
// servers of other nodes connect, and a client of it that needs no socket.
package natsbus
