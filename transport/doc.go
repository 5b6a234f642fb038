// Package transport turns sockets into messages and messages into bytes: the listener actor takes
// connections in, a reader goroutine per connection turns frames into messages for its connection
// actor, and the egress shards, a few actors, own the write side of all connections.
package transport
