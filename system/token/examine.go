package token

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Examination is what Examine saw of a token directory.
type Examination struct {
	Dir     string
	Owner   int // user id; -1 on systems without them
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
	e.seen.Owner, e.seen.Mode = ownerOf(info), info.Mode()
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

// newest looks at the file that was written last.
func (e *examiner) newest(dir *directory) error {
	list, err := dir.list()
	if err != nil {
		return err
	}
	defer list.Close()
	const most = 100_000 // entries
	names, err := list.Readdirnames(most)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	e.seen.More = len(names) == most
	newest, last := "", time.Time{}
	for _, name := range names {
		base, format, ok := tokenFile(name)
		if !ok {
			continue
		}
		owner, written, err := dir.look(name)
		if err != nil {
			continue
		}
		e.seen.Tokens++
		if newest == "" || written.After(last) {
			newest, last = name, written
			e.seen.Newest = &Examined{Name: base[:shownName] + "*" + format.extension(), Owner: owner, Written: written}
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
	if err := e.permitted(f); err != nil {
		return err
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
