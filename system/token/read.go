package token

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Read returns what the token file at path says and leaves the file as it is. Its name must end as
// its format wants it; neither its owner nor its age is looked at. Of opts only the bounds count; pass
// those of the daemon to learn whether it would take the file. Read is for people who want to know what
// a token is good for: it proves nothing about who brought the file.
func Read(path string, opts Options) (*Token, error) {
	format, err := ParseFormat(trimDot(filepath.Ext(path)))
	if err != nil {
		return nil, fmt.Errorf("read token: %s: the name must end in .php or .json", path)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would wait for its writer
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	defer file.Close()
	lim, err := opts.limits()
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read token: %s is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(file, lim.bytes+1))
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	if int64(len(data)) > lim.bytes {
		return nil, fmt.Errorf("read token: %s is larger than %d bytes, which tokens.max_bytes allows", path, lim.bytes)
	}
	t, err := format.decode(data, lim)
	if err != nil {
		return nil, fmt.Errorf("read token: %s: %w", path, err)
	}
	return t, nil
}

func trimDot(extension string) string {
	if extension == "" {
		return ""
	}
	return extension[1:]
}
