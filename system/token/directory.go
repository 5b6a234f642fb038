package token

import (
	"errors"
	"fmt"
	"syscall"
)

// openDirectory opens the token directory, unless it is one in which anyone
// may rename a file away and back and so use a token twice.
func openDirectory(path string) (*directory, error) {
	return patient{}.openDirectory(path)
}

// deniedError means that this process may not read or delete a file.
type deniedError struct {
	action string
	owner  int // user id; noOwner where files have none
	err    error
}

// noOwner stands for the owner of a file on systems without user ids.
const noOwner = -1

func (e *deniedError) Error() string {
	if e.owner == noOwner {
		return fmt.Sprintf("may not %s the file: %s", e.action, e.err)
	}
	return fmt.Sprintf("may not %s a file of user %d: %s", e.action, e.owner, e.err)
}

func (e *deniedError) Unwrap() error { return e.err }

// read returns the content of the file.
func (f *file) read(lim limits) ([]byte, error) {
	size := f.size()
	if size > lim.bytes {
		return nil, lim.tooLarge(size)
	}
	// One byte more than expected shows the end of the file with one read.
	data := make([]byte, size+1)
	length := 0
	for length < len(data) {
		n, err := retry(func() (int, error) { return f.readSome(data[length:]) })
		if err != nil {
			return nil, fmt.Errorf("%w: read token file: %w", ErrUnavailable, err)
		}
		length += n
		if n == 0 || int64(length) == size {
			return data[:length], nil
		}
	}
	return nil, fmt.Errorf("%w: the file is still being written", ErrMalformed)
}

// retry repeats a call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
