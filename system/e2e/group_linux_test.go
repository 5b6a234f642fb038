package e2e

import (
	"os/exec"
	"syscall"
)

// groupProcess makes cmd the head of a process group, which the kernel ends at its head when this
// process dies, as on a test timeout.
func groupProcess(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// killGroup ends cmd and what it started.
func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
