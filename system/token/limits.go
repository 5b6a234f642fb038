package token

import "fmt"

// Limits that hold where Options says nothing.
const (
	defaultMaxBytes       = 8 << 20
	defaultMaxDepth       = 64
	defaultMaxPermissions = 10_000
	defaultMaxServices    = 256
	defaultMaxExtensions  = 65_536
)

// limits bounds what a token file may hold.
type limits struct {
	bytes       int64
	depth       int
	permissions int
	services    int
	extensions  int
}

// defaultLimits returns the limits of an empty Options.
func defaultLimits() limits {
	return limits{
		bytes:       defaultMaxBytes,
		depth:       defaultMaxDepth,
		permissions: defaultMaxPermissions,
		services:    defaultMaxServices,
		extensions:  defaultMaxExtensions,
	}
}

// tooLarge refuses a file for its size.
func (l limits) tooLarge(size int64) error {
	return fmt.Errorf("%w: the file has %d bytes, tokens.max_bytes allows %d", ErrMalformed, size, l.bytes)
}

// checkCount refuses a list longer than max.
func checkCount(path string, count, max int) error {
	if count > max {
		return fmt.Errorf("%w: %s: %d entries, at most %d allowed", ErrMalformed, path, count, max)
	}
	return nil
}
