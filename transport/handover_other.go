//go:build !linux

package transport

// handover is empty: nothing is taken over from another process.
type handover struct{}
