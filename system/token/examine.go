package token

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Examination is what Examine saw of a token directory.
type Examination struct {
	Dir     string
	Owner   int // user id
	Mode    fs.FileMode
	Problem error     // why nobody can claim a token of the directory; nil: somebody can
	Tokens  int       // files that are called as tokens are
	Newest  *Examined // the file that was written last; nil without files
	More    bool      // there are more entries than were looked at
}

// Examined is one token file.
type Examined struct {
	Name    string // shortened to a pattern, such as 0a1b2c3d*.php
	Owner   int    // user id
	Written time.Time
	Problem error // why a claim would fail, nil if it would not; it wraps fs.ErrPermission where only this process may not look
}

// Examine looks at the token directory of o, and at the newest file in it, as a router that runs as the user
// uid would. It claims nothing and changes nothing. It is for people: what it tells of a file may be over a
// moment later. The error is about o, or says that this process may not look.
func Examine(o Options, uid int) (Examination, error) {
	lim, err := o.limits()
	if err != nil {
		return Examination{}, err
	}
	e := examiner{limits: lim, uid: uid, owners: append([]int{uid, 0}, o.Owners...), now: o.Now}
	if e.now == nil {
		e.now = time.Now
	}
	e.seen.Dir = o.Dir
	if o.Dir == "" {
		e.seen.Dir = defaultDir()
	}
	return e.examine()
}

// examiner is one look at a directory.
type examiner struct {
	limits limits
	uid    int
	owners []int
	now    func() time.Time
	seen   Examination
}

func (e *examiner) examine() (Examination, error) {
	info, err := os.Stat(e.seen.Dir)
	if err != nil {
		e.seen.Problem = err
		return e.seen, nil
	}
	e.seen.Owner, e.seen.Mode = int(info.Sys().(*syscall.Stat_t).Uid), info.Mode()
	dir, err := openDirectory(e.seen.Dir)
	if errors.Is(err, fs.ErrPermission) && e.uid != os.Geteuid() {
		return e.seen, err
	}
	if err != nil {
		e.seen.Problem = err
		return e.seen, nil
	}
	defer dir.close()
	if e.seen.Problem = e.writable(dir); e.seen.Problem != nil {
		return e.seen, nil
	}
	return e.seen, e.newest(dir)
}

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

// newest looks at the file that was written last.
func (e *examiner) newest(dir *directory) error {
	fd, err := retry(func() (int, error) { return unix.FcntlInt(uintptr(dir.fd), unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		return err
	}
	list := os.NewFile(uintptr(fd), dir.path)
	defer list.Close()
	const most = 100_000 // entries
	names, err := list.Readdirnames(most)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	e.seen.More = len(names) == most
	newest, last := "", time.Time{}
	for _, name := range names {
		var stat unix.Stat_t
		if _, _, ok := tokenFile(name); !ok || unix.Fstatat(dir.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue
		}
		e.seen.Tokens++
		if written := time.Unix(stat.Mtim.Unix()); newest == "" || written.After(last) {
			newest, last = name, written
			base, format, _ := tokenFile(name)
			e.seen.Newest = &Examined{Name: base[:shownName] + "*" + format.extension(), Owner: int(stat.Uid), Written: written}
		}
	}
	if newest != "" {
		e.seen.Newest.Problem = e.file(dir, newest)
	}
	return nil
}

// file returns why the router could not claim a file.
func (e *examiner) file(dir *directory, name string) error {
	f, err := dir.open(name)
	if err != nil {
		return err // this process's trouble, unless there is no such file any more
	}
	defer f.close()
	if err := f.trusted(e.owners); err != nil {
		return err
	}
	if owner := int(f.stat.Uid); dir.sticky() && e.uid != 0 && e.uid != owner && e.uid != int(dir.stat.Uid) {
		return fmt.Errorf("%w: user %d may not delete a file of user %d", ErrUnavailable, e.uid, owner)
	}
	if owner := int(f.stat.Uid); e.uid != 0 && e.uid != owner && uint32(f.stat.Mode)&(unix.S_IRGRP|unix.S_IROTH) == 0 {
		return fmt.Errorf("%w: user %d may not read a file of user %d", ErrUnavailable, e.uid, owner)
	}
	data, err := f.read(e.limits)
	if err != nil {
		return err
	}
	base, format, _ := tokenFile(name)
	token, err := format.decode(data, e.limits)
	if err != nil {
		return err
	}
	if !same(token.Name, base) {
		return fmt.Errorf("%w: the name in the file is another one than that of the file", ErrMismatch)
	}
	if token.Expired(e.now()) {
		return fmt.Errorf("%w at %s", ErrExpired, token.ClaimBy().UTC().Format(time.RFC3339))
	}
	return nil
}
