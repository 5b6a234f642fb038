package system

import (
	"errors"
	"os"
)

// openPrivate opens a file, unless it is a link. It does not look at who else can have written it: the access control
// list of the directory has to see to that.
func openPrivate(path string) (*os.File, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !named.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(named, opened) {
		err = errors.New("it was replaced while it was opened")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
