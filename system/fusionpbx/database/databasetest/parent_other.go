//go:build unix && !linux

package databasetest

import "syscall"

// attributes say as whom a program runs.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}
