//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// inherit gives the command its ends of the pipes, and a group of its own: a signal of the terminal is for the parent, which
// then stops the child, and what the child leaves behind can be ended with it.
func inherit(cmd *exec.Cmd, name string, in, out *os.File) error {
	cmd.ExtraFiles = []*os.File{in, out}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	mark(cmd, 3, 4, name)
	return nil
}

// inherited returns a pipe of this process. What the process starts does not get it.
func inherited(descriptor uintptr, name string) *os.File {
	syscall.CloseOnExec(int(descriptor))           //nolint:gosec // it is bounded
	_ = syscall.SetNonblock(int(descriptor), true) //nolint:gosec // it is bounded
	return os.NewFile(descriptor, name)
}

// group is what ends with the child.
type group struct{}

func newGroup(*os.Process, int64) (group, error) { return group{}, nil }

func (group) close() {}

// killGroup ends the child and what it has started, if that has stayed in its group. The child has not been waited for.
func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	_ = p.Kill()
}

// stopping are the signals that a manager of processes, or a terminal, sends to all of a program.
var stopping = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
