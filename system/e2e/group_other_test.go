//go:build !linux

package e2e

import "os/exec"

// groupProcess does nothing where the kernel may offer nothing of the kind.
func groupProcess(*exec.Cmd) {}

// killGroup ends cmd.
func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
