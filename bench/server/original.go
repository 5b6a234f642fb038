package server

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"strowger/bench/dialect"
)

//go:embed original.php
var launcher []byte

// selectLimit is how many connections the original is given: PHP's select ends at 1,024 files.
const selectLimit = 1000

// Original is the PHP router that strowger takes the place of, out of a FusionPBX source tree. It
// needs the command php, and /dev/shm, where it looks for tokens whatever it is told.
func Original(source string) Spec {
	return Spec{Name: "php", Title: "PHP original", Remote: true, MaxConnections: selectLimit,
		start: func(_ Load, dir string) (*exec.Cmd, dialect.Dialect, error) {
			script := filepath.Join(dir, "original.php")
			if err := os.WriteFile(script, launcher, 0o600); err != nil {
				return nil, nil, fmt.Errorf("write launcher: %w", err)
			}
			source, err := filepath.Abs(source)
			if err != nil {
				return nil, nil, err
			}
			port, err := freePort()
			if err != nil {
				return nil, nil, err
			}
			return exec.Command("php", script, source, strconv.Itoa(port)),
				&dialect.Strowger{Tokens: &dialect.Tokens{Dir: "/dev/shm"}}, nil
		}}
}

// freePort is a port that nobody listened on a moment ago; the original cannot be told to choose.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}
