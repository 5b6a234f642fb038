//go:build !linux

package transport

import (
	"net"
	"time"
)

// giveUpAfter does nothing: the system's own limit holds for what is not acknowledged.
func giveUpAfter(int, time.Duration) {}

// acked is not known.
func acked(net.Conn) (bytes uint64, known bool) { return 0, false }
