//go:build !linux

package transport

import (
	"net"
	"time"
)

// bareConnections returns the listener as it is: without pollers each connection needs Go's.
func bareConnections(from net.Listener, _ time.Duration) (net.Listener, error) { return from, nil }
