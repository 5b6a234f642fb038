//go:build !linux

package daemontest

import "os/exec"

// Group does nothing where the kernel may offer no such thing.
func Group(*exec.Cmd) {}

// KillGroup kills cmd.
func KillGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
