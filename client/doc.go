// Package client talks to a strowger router: it connects, authenticates,
// sends requests to services, listens to their broadcasts and reconnects when
// the connection is lost.
//
// Delivery is at most once. A request is never sent twice: one that is under
// way when the connection is lost fails with ErrDisconnected, and the caller
// alone knows whether asking again is safe. Broadcasts sent while the client
// is offline are lost, unless Options.Recover is set and the service has a
// history. Message.Gap and Options.OnGap tell where something may be lost.
//
// A token is good for one connection, so the client asks its TokenSource for a
// fresh one each time it connects. What a client may listen to is written in
// the token, so there is nothing to subscribe to again after a reconnect.
package client
