package ticket

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"strowger/system/internal/secretfile"
)

// usedFile keeps uses over a restart: a line for each, in the order in which they came. It is written to at each use, so
// that a router that was killed has it too. A line that begins with beforeWord says before when all tickets are refused.
type usedFile struct {
	path string // empty: there is no file
	log  *slog.Logger

	mu     sync.Mutex // Protects the rest.
	lines  int        // that it has
	failed bool       // the last write has failed
	torn   bool       // its last line has no end
}

const (
	usedFileBytes = 256 << 20
	// spareLines is by how many lines the file may be longer than twice what is in use.
	spareLines = 1024
)

func (u *Use) line() string {
	return fmt.Sprintf("%x %d %d %d\n", u.Session.ID, u.Session.Generation, u.At.UnixMilli(), u.Until.UnixMilli())
}

// beforeWord takes the place of a session.
const beforeWord = "before"

func parseUse(line string) (Use, error) {
	var u Use
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return u, errors.New("it has not four words")
	}
	if fields[0] != beforeWord {
		id, err := hex.DecodeString(fields[0])
		if err != nil || len(id) != len(u.Session.ID) {
			return u, errors.New("its first word is no session")
		}
		u.Session.ID = [16]byte(id)
	}
	generation, err := strconv.ParseUint(fields[1], 10, 32)
	at, errAt := strconv.ParseInt(fields[2], 10, 64)
	until, errUntil := strconv.ParseInt(fields[3], 10, 64)
	if err := errors.Join(err, errAt, errUntil); err != nil {
		return u, err
	}
	u.Session.Generation, u.At, u.Until = uint32(generation), time.UnixMilli(at), time.UnixMilli(until)
	return u, nil
}

// add writes a use. When the file has become too long, it writes all that count instead.
func (f *usedFile) add(u Use, all func() ([]Use, time.Time)) {
	if f.path == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	if f.lines < spareLines {
		err = f.append(&u)
	} else if uses, before := all(); f.lines < 2*len(uses)+spareLines {
		err = f.append(&u)
	} else {
		err = f.rewrite(uses, before)
	}
	if err != nil && !f.failed {
		f.log.Error("used tickets are not kept over a restart", "file", f.path, "setting", keySetting, "err", err)
	}
	f.failed = err != nil
}

func (f *usedFile) append(u *Use) error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	line := u.line()
	if f.torn {
		line = "\n" + line
	}
	if _, err = file.WriteString(line); err == nil {
		f.torn = false
	}
	f.lines++
	return errors.Join(err, file.Close())
}

func (f *usedFile) rewrite(uses []Use, before time.Time) error {
	var out bytes.Buffer
	if !before.IsZero() {
		fmt.Fprintf(&out, "%s 0 %d 0\n", beforeWord, before.UnixMilli())
	}
	for i := range uses {
		out.WriteString(uses[i].line())
	}
	f.lines, f.torn = len(uses)+1, false
	return replace(f.path, out.Bytes())
}

// read returns what is in the file, and before when all tickets are refused. It returns false if not all can be read: the
// last line may be that of a router that was killed. The file is written anew then with the next use.
func (f *usedFile) read() (uses []Use, before time.Time, whole bool) {
	if f.path == "" {
		return nil, before, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := secretfile.Read(f.path, usedFileBytes, secretfile.Secret)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, before, true
	}
	if err != nil {
		f.log.Error("used tickets of before the restart cannot be read: all tickets of before it are refused", "file", f.path, "err", err)
		return nil, before, false
	}
	f.lines, f.torn = 0, len(data) > 0 && data[len(data)-1] != '\n'
	whole = true
	for line := range strings.Lines(string(data)) {
		f.lines++
		if strings.TrimSpace(line) == "" {
			continue
		}
		u, err := parseUse(line)
		if err != nil {
			whole = false
			f.log.Warn("a line of used tickets cannot be read: all tickets of before the restart are refused", "file", f.path, "line", f.lines, "err", err)
			continue
		}
		if strings.HasPrefix(line, beforeWord) {
			before = u.At
			continue
		}
		uses = append(uses, u)
	}
	if !whole {
		f.lines = math.MaxInt32
	}
	return uses, before, whole
}
