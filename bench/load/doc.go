// Package load is a cheap WebSocket load generator. It shares the machine with the server that it
// loads, so it spends as little as it can: one goroutine waits on epoll for all sockets, frames are
// taken apart where they were read, and what an event says of itself stands in a mark of fixed size
// that is found without reading JSON. It runs on Linux only.
package load
