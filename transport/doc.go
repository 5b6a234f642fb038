// Package transport turns sockets into messages and messages into bytes: the listener actor takes
// connections in, a few pollers read for all of them and turn frames into messages for the connections'
// actors, and the egress shards, a few actors, own the write side of all connections.
package transport
