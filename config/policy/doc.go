// Package policy is the policies of services as they are written down: what a policy can say, in Go and in
// YAML, what is wrong with one, and the built-in ones. Package filter of actors makes of them what the router
// asks.
package policy
