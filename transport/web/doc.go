// Package web answers HTTP requests beside the sockets: POST /publish takes what a service says, POST /request asks a
// service and returns its answer, and GET /events is a stream of what a socket would get. Whoever sends one has a
// connection's actor, as the peer of a socket has. So tokens, policies, refusals and counts are the same.
package web
