package server

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"strowger/bench/dialect"
)

//go:embed floor/floor.c
var floorSource []byte

// BuildFloor compiles the floor in dir with the command cc and returns the program's path.
func BuildFloor(dir string) (string, error) {
	source, program := filepath.Join(dir, "floor.c"), filepath.Join(dir, "floor")
	if err := os.WriteFile(source, floorSource, 0o600); err != nil {
		return "", fmt.Errorf("write floor: %w", err)
	}
	if output, err := exec.Command("cc", "-O3", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build floor: %w\n%s", err, output)
	}
	return program, nil
}

// Floor is a C program that only polls, reads, copies and writes. What it costs is nearly all the
// kernel's. A reader that stalls stops it.
func Floor(program string) Spec {
	s := Program("floor", program)
	s.Title, s.Stalls = "floor (C)", true
	return s
}

// Program is a program that takes no arguments and speaks the hub's protocol. It prints one line,
// {"msg":"listening","addr":"HOST:PORT"}, once it listens.
func Program(name, program string) Spec {
	return Spec{Name: name, Title: name, Local: true, Remote: true,
		start: func(Load, string) (*exec.Cmd, dialect.Dialect, error) {
			return exec.Command(program), dialect.Hub{}, nil
		}}
}
