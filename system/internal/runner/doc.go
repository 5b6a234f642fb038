// Package runner runs a service: it is what a home, such as the router, keeps of one. An Instance is
// one service in one home, through all its restarts. Its host is the actor in which the author's
// functions run; a life is what one run of Setup has made.
package runner
