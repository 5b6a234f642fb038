package databasetest

import "syscall"

// attributes say as whom a program runs, and have the kernel end it when this process dies, as on a test
// timeout. SIGQUIT is how PostgreSQL is told to stop at once.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
