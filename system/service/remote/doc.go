// Package remote runs a service in a process of its own. Serve connects to a router, keeps the
// connection, and hands the router's requests to the service; the same service may run inside the
// router instead, without a change (package system).
package remote
