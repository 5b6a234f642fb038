package token

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// undeletable returns nil: whose tokens could not be deleted is not known.
func (s *Store) undeletable(*directory) []int { return nil }

// defaultDir returns a directory that only the user of this process may use, unless somebody changed its access
// control list. It is empty if the user has no such place.
func defaultDir() string {
	local, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return ""
	}
	return filepath.Join(local, "strowger", "tokens")
}

// makeDefaultDir makes the default directory if it is not there. If it cannot be made, opening it says why.
func makeDefaultDir(dir string) {
	if dir != "" {
		_ = os.MkdirAll(dir, 0o700)
	}
}
