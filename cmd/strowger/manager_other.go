//go:build !linux

package main

// monotonic returns nothing: only systemd wants to know the time of a reload.
func monotonic() []string { return nil }
