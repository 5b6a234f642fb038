//go:build unix

package token

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// writable returns an error when the router may not delete files of the directory.
func (e *examiner) writable(dir *directory) error {
	if e.uid == os.Geteuid() {
		return dir.writable()
	}
	const write, search = 2, 1
	mode := uint32(dir.stat.Mode)
	switch {
	case e.uid == 0:
		return nil
	case e.uid == int(dir.stat.Uid):
		mode >>= 6
	case slices.Contains(groupsOf(e.uid), int(dir.stat.Gid)):
		mode >>= 3
	}
	if mode&(write|search) != write|search {
		return fmt.Errorf("%w: directory %s: user %d may not write to it", ErrUnavailable, dir.path, e.uid)
	}
	return nil
}

// groupsOf returns the groups of a user, none where this machine does not say.
func groupsOf(uid int) []int {
	account, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil
	}
	names, err := account.GroupIds()
	if err != nil {
		return nil
	}
	var groups []int
	for _, name := range names {
		if id, err := strconv.Atoi(name); err == nil {
			groups = append(groups, id)
		}
	}
	return groups
}

// permitted returns an error when the router may not read or delete a file of the directory.
func (e *examiner) permitted(f *file) error {
	owner := f.owner()
	if f.dir.sticky() && e.uid != 0 && e.uid != owner && e.uid != int(f.dir.stat.Uid) {
		return fmt.Errorf("%w: user %d may not delete a file of user %d", ErrUnavailable, e.uid, owner)
	}
	if e.uid != 0 && e.uid != owner && uint32(f.stat.Mode)&(unix.S_IRGRP|unix.S_IROTH) == 0 {
		return fmt.Errorf("%w: user %d may not read a file of user %d", ErrUnavailable, e.uid, owner)
	}
	return nil
}
