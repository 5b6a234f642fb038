package secretfile

import (
	"io/fs"
	"os"
)

func open(path string) (*os.File, error) { return os.Open(path) }

func trusted(fs.FileInfo, Kind, int) error { return nil }
