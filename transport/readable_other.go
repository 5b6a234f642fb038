//go:build !linux

package transport

const readableKnown = false

// readableNow is not known here.
func readableNow(int) bool { return false }
