//go:build unix && !linux

package process

import (
	"os"
	"syscall"
)

func program() (string, error) { return os.Executable() }

// endWithParent does nothing. The child ends when its pipe is closed, unless it is stopped or its runtime does not run any
// more.
func endWithParent(*syscall.SysProcAttr) {}

func shed() {}

func awaitEnd(*os.Process) bool { return false }
