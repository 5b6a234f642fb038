//go:build unix

package process

import (
	"encoding/json"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// descriptors returns how many files this process has open, 0 where that is not known.
func descriptors(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// The child gets five descriptors, and none of its parent's files and sockets.
func TestDescriptors(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc on " + runtime.GOOS)
	}
	secret, err := os.Create(t.TempDir() + "/secret")
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	left, err := syscall.Dup(int(secret.Fd())) // as C code opens files: it stays open in all programs
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(left) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := begin(t, mortal(), Options{})
	begin(t, mortal(), Options{}) // whose pipes are not inherited either
	r.ask("exit", "")
	r.state("up")
	var all []string
	if err := json.Unmarshal(r.ask("descriptors", "").Payload, &all); err != nil {
		t.Fatal(err)
	}
	pipes := 0
	for _, line := range all {
		number, name, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(name, "pipe:"):
			pipes++
		case number == "0" && name == "/dev/null", strings.HasPrefix(name, "anon_inode:"), strings.HasPrefix(name, "/proc/"), strings.HasPrefix(name, "/sys/fs/cgroup"):
		default:
			t.Errorf("the child has %s", line)
		}
	}
	if pipes != 4 {
		t.Errorf("the child has %d pipes, want 4: %v", pipes, all)
	}
}
