//go:build unix

package system

import "golang.org/x/sys/unix"

// descriptors returns how many files this process may have open, 0 if that cannot be told.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<30)) // it may be unlimited
}
