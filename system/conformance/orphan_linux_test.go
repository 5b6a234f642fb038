package conformance

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end cmd when this process dies, as on a test timeout.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
