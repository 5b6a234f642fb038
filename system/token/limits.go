package token

import (
	"errors"
	"fmt"
)

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

// checkCount refuses a list longer than max, which is the value of setting.
func checkCount(path string, count, max int, setting string) error {
	if count > max {
		return fmt.Errorf("%w: %s: %d entries, %s allows %d", ErrMalformed, path, count, setting, max)
	}
	return nil
}

// The settings that bound lists, as an operator knows them.
const (
	permissionsSetting = "tokens.max_permissions"
	servicesSetting    = "tokens.max_services"
	extensionsSetting  = "tokens.max_extensions"
)

// limits returns the bounds that o gives, and the defaults for others.
func (o Options) limits() (limits, error) {
	l := defaultLimits()
	if o.MaxBytes < 0 || min(o.MaxDepth, o.MaxPermissions, o.MaxServices, o.MaxExtensions) < 0 {
		return l, errors.New("token options: a bound is negative")
	}
	override(&l.bytes, o.MaxBytes)
	override(&l.depth, o.MaxDepth)
	override(&l.permissions, o.MaxPermissions)
	override(&l.services, o.MaxServices)
	override(&l.extensions, o.MaxExtensions)
	return l, nil
}

// override takes a bound that was given.
func override[T int | int64](bound *T, given T) {
	if given != 0 {
		*bound = given
	}
}
