//go:build unix

package token

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// sharedMemory is where FusionPBX puts tokens when it can.
const sharedMemory = "/dev/shm"

// undeletable returns the owners whose tokens this process could read but not
// delete. Root is not among them: it is trusted by default, not expected.
func (s *Store) undeletable(dir *directory) []int {
	if !dir.sticky() || int(dir.stat.Uid) == os.Geteuid() || overridesOwner() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.owners), func(owner int) bool {
		return owner == 0 || owner == os.Geteuid()
	})
}

// defaultDir returns the directory FusionPBX would choose on this machine.
func defaultDir() string {
	info, err := os.Stat(sharedMemory)
	if err == nil && info.IsDir() && unix.Faccessat(unix.AT_FDCWD, sharedMemory, unix.W_OK, unix.AT_EACCESS) == nil {
		return sharedMemory
	}
	return os.TempDir()
}

// makeDefaultDir does nothing: the directory is part of the system.
func makeDefaultDir(string) {}
