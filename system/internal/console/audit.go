package console

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// entry is one action in the audit log.
type entry struct {
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	From   string    `json:"from"`
	Action string    `json:"action"`
	Object string    `json:"object"`
	Result string    `json:"result"`
}

// auditKept is how many entries are shown.
const auditKept = 256

// audit is the log of all actions. Its methods may be called from any goroutine.
type audit struct {
	log  *slog.Logger
	path string // empty: there is no file

	mu    sync.Mutex // Protects following, and keeps the order of lines.
	file  *os.File   // nil: not open
	count uint64
	kept  []entry // the oldest first
}

// openAudit opens the file, or says why it cannot be used.
func openAudit(path string, log *slog.Logger) (*audit, error) {
	a := &audit{log: log, path: path}
	if path == "" {
		return a, nil
	}
	if err := a.reopen(); err != nil {
		return nil, fmt.Errorf("admin.audit_file: %w", err)
	}
	return a, nil
}

// reopen opens the file, which nobody but the daemon's user may read or write. mu is held, or nobody else has a.
func (a *audit) reopen() error {
	file, err := os.OpenFile(a.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|auditFlags, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is no regular file", a.path)
	case modes && info.Mode().Perm()&0o077 != 0:
		err = fmt.Errorf("the mode of %s is %04o, want 0600", a.path, info.Mode().Perm())
	}
	if err != nil {
		_ = file.Close()
		return err //nolint:wrapcheck // names the file
	}
	a.file = file
	return nil
}

// add notes an action that was done or has failed, and returns its number. It waits for a disk.
func (a *audit) add(e entry) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	e.Number = a.count
	e.At = e.At.UTC()
	a.kept = append(a.kept, e)
	if len(a.kept) > auditKept {
		a.kept = append([]entry{}, a.kept[1:]...)
	}
	a.log.Warn("action in the console", "audit", e.Number, "who", e.Who, "remote", e.From, "action", e.Action, "object", e.Object, "result", e.Result)
	a.write(e)
	return e.Number
}

// Note adds an action that was asked for on the admin port beside the console, and has failed unless err is nil.
func (c *Console) Note(action, from string, err error) {
	e := entry{At: c.clock.Now(), Who: "admin port", From: from, Action: action, Result: "ok"}
	if err != nil {
		e.Result = clip(err.Error())
	}
	c.audit.add(e)
}

func (a *audit) write(e entry) {
	if a.path == "" {
		return
	}
	// A file that was moved away is made anew, so that it can be rotated.
	if a.file != nil && a.moved() {
		_ = a.file.Close()
		a.file = nil
	}
	line, err := json.Marshal(e)
	if err == nil && a.file == nil {
		err = a.reopen()
	}
	if err == nil {
		_, err = a.file.Write(append(line, '\n'))
	}
	if err != nil {
		a.log.Error("action is not in the audit file", "audit", e.Number, "file", a.path, "err", err)
	}
}

func (a *audit) moved() bool {
	open, err := a.file.Stat()
	if err != nil {
		return true
	}
	there, err := os.Lstat(a.path)
	return err != nil || !os.SameFile(open, there)
}

// latest returns the latest entries, the latest first, and how many there were.
func (a *audit) latest(limit int) ([]entry, uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]entry, 0, min(limit, len(a.kept)))
	for i := len(a.kept) - 1; i >= 0 && len(all) < limit; i-- {
		all = append(all, a.kept[i])
	}
	return all, a.count
}

func (a *audit) revision() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

func (a *audit) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		_ = a.file.Close()
		a.file = nil
	}
}
