package client

import (
	"context"

	"strowger/system/service"
)

// ServeOptions says how Serve connects and runs the service. The zero value serves.
type ServeOptions struct {
	Options
	// Instance is how the service runs; its Log is Options.Logger if nil.
	Instance service.Options
}

// Serve runs a service in this process for the router at url, under a supervisor of its own. It
// returns when ctx has ended and the service has stopped, and then nil, or when the router cannot
// be reached for the first time or refuses the tokens, as Dial and Reconnect have it.
//
// While the connection is lost the service goes on running. Requests that came over it end, as
// nobody waits for them any more, and what is broadcast meanwhile is dropped.
func Serve(ctx context.Context, url string, token TokenSource, s *service.Service, opts ServeOptions) error {
	panic("not implemented")
}
