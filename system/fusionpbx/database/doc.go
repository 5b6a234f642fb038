// Package database reads FusionPBX's PostgreSQL database, and makes the two changes in it that the operator
// panel may make.
//
// A DB can be had without a database: each query then returns an error that wraps ErrUnavailable and says why.
// The same holds while the database is down or does not answer in time. A caller answers 503 with the reason
// of the error, and asks again when it is asked again: the DB comes back by itself.
//
// Every query ends within Options.Timeout. Queries wait for the network, so an actor never calls them: a
// service calls them in the work that it gives to service.Context.Go. CachedConference and Stats never wait.
package database
