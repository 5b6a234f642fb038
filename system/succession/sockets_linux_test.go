// Package succession tests what a process of the daemon takes over from another one.
package succession

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strowger/client"
	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// listenTCP opens a socket as a service manager does, and returns it as a file.
func listenTCP(t *testing.T) (address string, file *os.File) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err = l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return l.Addr().String(), file
}

// activated returns a command that runs the daemon with inherited sockets of these names.
func activated(binary, names string, files []*os.File, args ...string) *exec.Cmd {
	cmd := daemontest.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, binary}, args...)...)
	cmd.Env = append(cmd.Env, "LISTEN_FDS="+string(rune('0'+len(files))), "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = files
	return cmd
}

// TestSocketActivation has a daemon serve on sockets that were open before it ran.
func TestSocketActivation(t *testing.T) {
	binary := program(t)
	address, router := listenTCP(t)
	adminAddress, admin := listenTCP(t)
	// A connection that is made before there is a daemon waits for it.
	early, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	dir := t.TempDir()
	d, err := daemontest.Start(activated(binary, "strowger:admin", []*os.File{router, admin}, "serve", "--listen", "127.0.0.1:1", "--token-dir", dir), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if d.Addr != address {
		t.Errorf("listens on %s, want the inherited %s", d.Addr, address)
	}
	if _, err := early.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := early.Read(answer); err != nil || string(answer) != "HTTP/1.1 101" {
		t.Errorf("the connection from before got %q, %v", answer, err)
	}
	made, _, err := token.Create(dir, token.Spec{}, token.PHP)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	source := func(context.Context) (client.Token, error) {
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	c, err := client.Dial(ctx, "ws://"+address+"/", source, client.Options{Reconnect: client.Reconnect{Disabled: true}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	response, err := http.Get("http://" + adminAddress + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the admin pages answer %s", response.Status)
	}
}

func TestSocketsThatCannotBeUsed(t *testing.T) {
	binary := program(t)
	_, one := listenTCP(t)
	_, other := listenTCP(t)
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	local, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	plain, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, test := range map[string]struct {
		files []*os.File
		names string
		want  string
	}{
		"two for the router": {[]*os.File{one, other}, "a:b", "FileDescriptorName=admin"},
		"a local socket":     {[]*os.File{local}, "a", "want a TCP socket"},
		"a file":             {[]*os.File{plain}, "a", "no listening socket"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := activated(binary, test.names, test.files, "serve", "--token-dir", t.TempDir()).CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, said %q, want %q", err, out, test.want)
			}
		})
	}
}
