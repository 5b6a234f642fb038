package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what the figures were measured on.
func machine() string {
	model := "unknown processor"
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(content)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	memory := uint64(0)
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memory = info.Totalram * uint64(info.Unit) >> 20
	}
	kernel := "Linux"
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		kernel += " " + unix.ByteSliceToString(name.Release[:])
	}
	return fmt.Sprintf("%d × %s, %d MiB of memory, %s", runtime.NumCPU(), model, memory, kernel)
}

// commit is what of strowger was measured.
func commit(root string) string {
	out, err := exec.Command("git", "-C", root, "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// versions are those of the peers and of Go.
func versions() map[string]string {
	list := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return list
	}
	peers := map[string]string{
		"github.com/lxzan/gws":              "gws",
		"github.com/centrifugal/centrifuge": "centrifuge",
		"github.com/nats-io/nats-server/v2": "nats-server",
	}
	for _, module := range info.Deps {
		if name, ok := peers[module.Path]; ok {
			list[name] = module.Version
		}
	}
	return list
}
