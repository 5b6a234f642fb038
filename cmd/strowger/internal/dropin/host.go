package dropin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strowger/config"
)

// Host is a machine with FusionPBX's units.
type Host struct {
	// Root is the directory that stands for /; empty means /.
	Root string
	// Run runs a program and returns what it writes to stdout. Its error has what the program writes to stderr.
	Run func(ctx context.Context, name string, args ...string) (string, error)
	// Settings returns the configuration of serve with these arguments and this environment.
	Settings func(args, environ []string) (*config.Config, error)
	// Say tells the operator what was done.
	Say func(format string, args ...any)
	// Patience is how long the router has to become ready.
	Patience time.Duration
}

func (h *Host) path(name string) string { return filepath.Join("/", h.Root, name) }

// dropIn returns where the drop-in of a unit is.
func (h *Host) dropIn(unit string) string {
	return h.path("/etc/systemd/system/" + unit + ".service.d/" + file)
}

// read returns the drop-in of a unit, empty if there is none.
func (h *Host) read(unit string) (string, error) {
	text, err := os.ReadFile(h.dropIn(unit))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// write puts the drop-in of a unit in its place at once, so that systemd never sees half of it.
func (h *Host) write(unit, text string) error {
	path := h.dropIn(unit)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part" // systemd reads only names that end in .conf
	if err := os.WriteFile(part, []byte(text), 0o644); err != nil {
		return err
	}
	// The umask of whoever installs does not count.
	return errors.Join(os.Chmod(part, 0o644), os.Rename(part, path))
}

// erase removes the drop-in of a unit, and its directory unless others have files there.
func (h *Host) erase(unit string) error {
	path := h.dropIn(unit)
	for _, name := range []string{path + ".part", path} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	_ = os.Remove(filepath.Dir(path))
	return nil
}

// unitFile returns the file of a unit that counts, empty if it is not installed.
func (h *Host) unitFile(unit string) string {
	for _, dir := range []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		path := h.path(dir + "/" + unit + ".service")
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// systemd tells whether systemd runs. It does not where a package is installed into an image.
func (h *Host) systemd() bool {
	_, err := os.Stat(h.path("/run/systemd/system"))
	return err == nil
}

// systemctl changes something. It does nothing where systemd does not run: the next boot reads the files.
func (h *Host) systemctl(ctx context.Context, args ...string) error {
	if !h.systemd() {
		return nil
	}
	if _, err := h.Run(ctx, "systemctl", args...); err != nil {
		return fmt.Errorf("systemctl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// is asks systemd whether a unit is active or enabled.
func (h *Host) is(ctx context.Context, what, unit string) bool {
	if !h.systemd() {
		return false
	}
	out, _ := h.Run(ctx, "systemctl", "is-"+what, unit+".service") // its status says the same
	out = strings.TrimSpace(out)
	return out == what || out == what+"-runtime" || what == "active" && (out == "activating" || out == "reloading")
}
