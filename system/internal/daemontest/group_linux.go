package daemontest

import (
	"os/exec"
	"syscall"
)

// Group makes cmd the head of a process group. The kernel kills the head when this process dies, as on a
// test's timeout. Call it before cmd is started.
func Group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// KillGroup kills cmd and what it started.
func KillGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
