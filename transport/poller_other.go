//go:build !linux

package transport

import (
	"log/slog"
	"sync"
)

// poller needs epoll; elsewhere each connection has a goroutine that reads.
type poller struct{ lobby bool }

func newPollers(int, *sync.RWMutex, *slog.Logger) ([]*poller, error) { return nil, nil }

func stopAll([]*poller) {}

func (*poller) add(*reader) {}

func (*poller) know(*reader) bool { return false }

func (*poller) part(*reader) {}

func (*poller) watched(string) Loop { return Loop{} }
