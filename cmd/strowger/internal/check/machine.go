package check

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// Machine is where the checks look.
type Machine struct {
	// Root is the directory that stands for /; empty means /. Files of nginx, certificates, systemd and the kernel
	// are looked for below it.
	Root string
	// Proc is where the processes are; empty means /proc below Root.
	Proc string
	// Windows says that there is no systemd, no /proc and no user id.
	Windows bool
	// UID is the user that asks; -1 on Windows.
	UID int
	// Now tells the time.
	Now func() time.Time
	// Dial connects.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Run runs a program and returns what it wrote to stdout.
	Run func(ctx context.Context, name string, args ...string) (string, error)
	// Descriptors returns how many files this process may have open, 0 if that cannot be told.
	Descriptors func() int
	// Roots are the certificates that are trusted; nil means those of the machine.
	Roots *x509.CertPool
}

// Local returns this machine.
func Local() Machine {
	var dialer net.Dialer
	return Machine{Windows: runtime.GOOS == "windows", UID: os.Geteuid(), Now: time.Now, Dial: dialer.DialContext, Run: runProgram, Descriptors: descriptors}
}

func runProgram(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return string(out), err
}

// path returns where a file of the machine is.
func (m *Machine) path(name string) string {
	if m.Root == "" {
		return filepath.Clean(name)
	}
	return filepath.Join("/", m.Root, name)
}

// proc returns where a file about processes is.
func (m *Machine) proc(name string) string {
	if m.Proc != "" {
		return filepath.Join(m.Proc, name)
	}
	return m.path(filepath.Join("/proc", name))
}

// root tells whether root asks.
func (m *Machine) root() bool { return m.UID == 0 }

// userName returns the name of a user, or the number where there is no name.
func userName(uid int) string {
	if account, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return account.Username
	}
	return strconv.Itoa(uid)
}

// userID returns the user ID that name stands for. The name may be the number itself.
func userID(name string) (int, error) {
	if id, err := strconv.Atoi(name); err == nil {
		return id, nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(account.Uid)
}

// denied tells whether an error is one that root would not have.
func denied(err error) bool { return errors.Is(err, os.ErrPermission) }
