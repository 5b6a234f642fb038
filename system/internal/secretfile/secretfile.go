// Package secretfile reads files on whose content it depends who is let in.
package secretfile

import (
	"fmt"
	"io"
	"os"
)

// Kind says what harm others could do with a file.
type Kind int

// The kinds of files.
const (
	// Public files may be read by everybody. Nobody but the owner may write to them.
	Public Kind = iota
	// Secret files may be read by nobody but the owner.
	Secret
	// Shared files are secrets that the owner's group may read too.
	Shared
)

// Read returns what is in a file, which may have limit bytes. The file must be a regular one and belong to root or to the
// user of this process, and its mode must fit its kind. A Secret or Shared file must have one link. On Windows, which has no user ids
// and no modes, only the first is looked at.
func Read(path string, limit int64, kind Kind) ([]byte, error) {
	return ReadAs(path, limit, kind, os.Geteuid())
}

// ReadAs is Read with the eyes of another user, who must be able to read the file as well.
func ReadAs(path string, limit int64, kind Kind, uid int) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file and what failed
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if err := trusted(info, kind, uid); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, nil
}
