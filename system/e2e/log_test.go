package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// quiet is a daemon whose log the test reads, or does not.
type quiet struct {
	t        *testing.T
	addr     string
	admin    string // address of the admin pages, if they are wanted
	tokenDir string
	cmd      *exec.Cmd
	exited   chan struct{} // closed when the process is gone
	err      error         // how it exited; set before exited is closed
	config   string
	stderr   *os.File
	lines    *bufio.Reader
}

// startQuiet starts a daemon whose stdout and stderr are one pipe, and reads that up to the line that
// says where it listens.
func startQuiet(t *testing.T) *quiet {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return startQuietOn(t, reader, writer)
}

// startQuietOn starts a daemon that writes to writer, with further variables of the environment.
func startQuietOn(t *testing.T, reader, writer *os.File, env ...string) *quiet {
	t.Helper()
	return startQuietAs(t, reader, writer, "", "", env...)
}

// startQuietWith starts a daemon with these settings and an address for its admin pages.
func startQuietWith(t *testing.T, settings, admin string) *quiet {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return startQuietAs(t, reader, writer, settings, admin)
}

func startQuietAs(t *testing.T, reader, writer *os.File, settings, admin string, env ...string) *quiet {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	q := &quiet{t: t, config: filepath.Join(t.TempDir(), "strowger.yaml"),
		tokenDir: t.TempDir(), exited: make(chan struct{})}
	q.configure("nowhere.example")
	if settings != "" {
		if err := os.WriteFile(q.config, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	q.stderr, q.lines = reader, bufio.NewReader(reader)
	q.cmd = daemontest.Command(path, "serve", "--listen", "127.0.0.1:0", "--admin="+admin, "--token-dir", q.tokenDir, "--config", q.config)
	q.cmd.Env = append(q.cmd.Env, env...)
	q.cmd.Stdout, q.cmd.Stderr = writer, writer
	if err := q.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close() // the daemon has its own
	go func() {
		defer close(q.exited)
		q.err = q.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = q.cmd.Process.Kill() // gone already if all went well
		<-q.exited
		_ = reader.Close()
	})
	for q.addr == "" || admin != "" && q.admin == "" {
		line := q.line()
		if addr := daemontest.ListenAddr(line); addr != "" {
			q.addr = addr
		}
		if addr := adminAddr(line); addr != "" {
			q.admin = addr
		}
	}
	return q
}

// adminAddr returns the address of the admin pages if that is what a line of the log says.
func adminAddr(line string) string {
	if found := regexp.MustCompile(`"admin listening","addr":"([^"]+)"`).FindStringSubmatch(line); found != nil {
		return found[1]
	}
	return ""
}

// configure writes settings in which pages of the hosts may connect.
func (q *quiet) configure(hosts ...string) {
	q.t.Helper()
	text := "log: {format: json, queue_bytes: 64KiB}\nshutdown: {timeout: 10m}\nlisten:\n  origins:\n"
	for _, host := range hosts {
		text += "    - " + host + "\n"
	}
	if err := os.WriteFile(q.config, []byte(text), 0o600); err != nil {
		q.t.Fatal(err)
	}
}

func (q *quiet) line() string {
	q.t.Helper()
	line, err := q.lines.ReadString('\n')
	if err != nil {
		q.t.Fatalf("read log: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// login lets a user in from a page of a host. The error is why it could not.
func (q *quiet) login(host string) error {
	source := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(q.tokenDir, token.Spec{Kind: token.User}, token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	ctx, cancel := context.WithTimeout(q.t.Context(), deadline)
	defer cancel()
	c, err := client.Dial(ctx, "ws://"+q.addr+"/", source, client.Options{
		Header: http.Header{"Origin": {"https://" + host}}, Reconnect: client.Reconnect{Disabled: true}})
	if err != nil {
		return err
	}
	return c.Close()
}

// reload has the settings read anew and waits until pages of host may connect.
func (q *quiet) reload(host string) {
	q.t.Helper()
	if err := q.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		q.t.Fatal(err)
	}
	late := time.Now().Add(deadline)
	for err := q.login(host); err != nil; err = q.login(host) {
		if time.Now().After(late) {
			q.t.Fatalf("settings are not reloaded: %v", err)
		}
	}
}

// stops sends SIGTERM and wants status 0.
func (q *quiet) stops() {
	q.t.Helper()
	if err := q.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		q.t.Fatal(err)
	}
	q.exits("SIGTERM")
	if q.err != nil {
		q.t.Errorf("exited with %v", q.err)
	}
}

// exits waits until the process is gone, because of a signal.
func (q *quiet) exits(signal string) {
	q.t.Helper()
	select {
	case <-q.exited:
	case <-time.After(deadline):
		q.t.Fatalf("still runs %v after %s", deadline, signal)
	}
}

// A router outlives whoever read its log.
func TestLogReaderIsGone(t *testing.T) {
	q := startQuiet(t)
	if err := q.stderr.Close(); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"a.example", "b.example"} {
		q.configure(host)
		q.reload(host)
	}
	q.stops()
}

// many returns hosts that fill a pipe by one line of the log.
func many(last string) []string {
	var hosts []string
	for n := range 4000 {
		hosts = append(hosts, fmt.Sprintf("host-%d.%s", n, last))
	}
	return append(hosts, last)
}

// fill has more logged than fits into what takes the log.
func (q *quiet) fill() {
	q.t.Helper()
	for _, host := range []string{"a.example", "b.example", "c.example"} {
		q.configure(many(host)...)
		q.reload(host)
	}
}

// A reader that is stuck keeps nobody from being served, nor the router from stopping.
func TestLogReaderIsStuck(t *testing.T) {
	stuck(t, startQuiet(t))
}

// stuck wants a daemon whose log is full to serve and to stop.
func stuck(t *testing.T, q *quiet) {
	t.Helper()
	q.fill()
	for range 20 {
		if err := q.login("c.example"); err != nil {
			t.Fatalf("login: %v", err)
		}
	}
	q.stops()
}

// When the log flows again, a line says how many are missing.
func TestLogFlowsAgain(t *testing.T) { flowsAgain(t, startQuiet(t)) }

// flowsAgain fills a log that nobody reads, reads it while the daemon stops, and wants to be told of the missing lines.
func flowsAgain(t *testing.T, q *quiet) {
	t.Helper()
	q.fill()
	told := make(chan string, 1)
	go func() {
		defer close(told)
		for line := ""; ; {
			var err error
			if line, err = q.lines.ReadString('\n'); err != nil {
				return
			}
			if strings.Contains(line, `"log lines dropped`) {
				told <- line
			}
			if strings.Contains(line, `"msg":"stopped"`) {
				return
			}
		}
	}()
	q.stops()
	if line := <-told; !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, `"lines":`) {
		t.Errorf("the log tells of lost lines with %q", line)
	}
}

// lingering is a connection whose peer reads what comes and never says goodbye, so that a stop waits for
// it until shutdown.timeout.
func (q *quiet) lingering(host string) *bufio.Reader {
	q.t.Helper()
	conn, err := net.Dial("tcp", q.addr)
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * deadline)); err != nil {
		q.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nOrigin: https://%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", q.addr, host)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		q.t.Fatalf("upgrade: %v, %v", response, err)
	}
	return reader
}

// A second SIGTERM ends the process at once, with status 1, also while the log's pipe is full, nobody reads
// it, and a connection keeps the first SIGTERM waiting.
func TestSecondSignalWhileLogReaderIsStuck(t *testing.T) {
	q := startQuiet(t)
	q.fill()
	reader := q.lingering("c.example")
	if err := q.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The close frame says that the first signal was heard: 0x88, and two bytes of code 1001.
	var seen []byte
	for !bytes.Contains(seen, []byte{0x03, 0xe9}) {
		b, err := reader.ReadByte()
		if err != nil {
			t.Fatalf("before the close frame: %v", err)
		}
		seen = append(seen, b)
	}
	if err := q.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	q.exits("the second SIGTERM")
	if exit := new(exec.ExitError); !errors.As(q.err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want status 1", q.err)
	}
}
