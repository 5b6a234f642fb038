package succession

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/client"
	"strowger/system"
	"strowger/system/internal/daemontest"
	"strowger/system/service"
	"strowger/system/service/remote"
	"strowger/system/token"
)

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

// build compiles the daemon once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "succession")
	if err != nil {
		return "", err
	}
	return daemontest.Build(dir)
})

func TestMain(m *testing.M) {
	if what := os.Getenv(actVariable); what != "" {
		os.Exit(act(what))
	}
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func program(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// running is a daemon that new processes take over from.
type running struct {
	*daemontest.Daemon
	t      testing.TB
	config string
	binary string // that upgrades start
	admin  string
	pid    int
	cmd    *exec.Cmd
	once   sync.Once // for stop
	killed bool
}

// run runs the daemon with settings and flags, and ends its last process when t ends.
func run(t testing.TB, yaml string, flags ...string) *running {
	t.Helper()
	dir := t.TempDir()
	r := &running{t: t, config: filepath.Join(dir, "strowger.yaml"), binary: filepath.Join(dir, "strowger")}
	if err := os.Link(program(t), r.binary); err != nil {
		copyFile(t, program(t), r.binary)
	}
	r.configure(yaml)
	tokens := t.TempDir()
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", tokens, "--config", r.config}, flags...)
	r.cmd = daemontest.Command(r.binary, args...)
	d, err := daemontest.Start(r.cmd, tokens)
	if err != nil {
		t.Fatal(err)
	}
	r.Daemon, r.pid = d, r.cmd.Process.Pid
	t.Cleanup(r.end)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if r.admin, err = d.AdminAddr(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

// end ends the process that runs now and wants everything gone in good order.
func (r *running) end() {
	r.stop()
	late := time.AfterFunc(patience, func() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	// The first process may still be ending, and Stop tells it to.
	_ = unix.Waitid(unix.P_PID, r.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	if err := r.Stop(); err != nil && !r.killed {
		r.t.Errorf("stop: %v", err)
	}
	if r.t.Failed() {
		r.t.Log(r.Log())
	}
}

// stop tells the process that runs now to stop, once.
func (r *running) stop() {
	r.once.Do(func() { _ = syscall.Kill(r.pid, syscall.SIGTERM) })
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r *running) configure(yaml string) {
	r.t.Helper()
	if err := os.WriteFile(r.config, []byte(yaml), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// ask has the daemon do what a path of the admin pages says. A status of 0 means that it gave no answer.
func (r *running) ask(path string) (status int, body string) {
	request, err := http.NewRequest(http.MethodPost, "http://"+r.admin+path, nil)
	if err != nil {
		return 0, err.Error()
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// upgrade has a new process take over.
func (r *running) upgrade() *system.Upgraded {
	r.t.Helper()
	status, body := r.ask("/upgrade")
	u := new(system.Upgraded)
	if err := json.Unmarshal([]byte(body), u); status != http.StatusOK || err != nil {
		r.t.Fatalf("upgrade: %d %s\n%s", status, body, r.Log())
	}
	if u.PID == r.pid || u.PID == 0 {
		r.t.Errorf("process %d has taken over from %d", u.PID, r.pid)
	}
	r.pid = u.PID
	return u
}

// fail wants an upgrade to fail with an error that has these words.
func (r *running) fail(words ...string) {
	r.t.Helper()
	r.Allow("upgrade failed, this process goes on")
	status, body := r.ask("/upgrade")
	if status != http.StatusConflict {
		r.t.Fatalf("upgrade: %d %s, want that it fails", status, body)
	}
	for _, word := range words {
		if !strings.Contains(body, word) {
			r.t.Errorf("upgrade says %q, want %q", body, word)
		}
	}
}

// metric wants a value of the admin pages.
func (r *running) metric(name string, want int) {
	r.t.Helper()
	if line := fmt.Sprintf("\n%s %d\n", name, want); !strings.Contains(r.metrics(), line) {
		r.t.Errorf("the metrics have no line %q", line)
	}
}

// metrics returns all values of the admin pages.
func (r *running) metrics() string {
	r.t.Helper()
	response, err := http.Get("http://" + r.admin + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *running) mint(spec token.Spec) client.Token {
	r.t.Helper()
	made, _, err := token.Create(r.TokenDir, spec, token.JSON)
	if err != nil {
		r.t.Fatal(err)
	}
	return client.Token{Name: made.Name, Hash: made.Hash}
}

// connect lets a client in that does not come back when it is disconnected.
func (r *running) connect(spec token.Spec) *client.Client {
	r.t.Helper()
	made := r.mint(spec)
	source := func(context.Context) (client.Token, error) { return made, nil }
	c, err := client.Dial(context.Background(), "ws://"+r.Addr+"/", source,
		client.Options{ConnectTimeout: patience, RequestTimeout: patience, Reconnect: client.Reconnect{Disabled: true}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// serve runs a service in this process until the test ends.
func (r *running) serve(svc *service.Service) {
	r.t.Helper()
	made := r.mint(token.Spec{Kind: token.Service, ServiceName: svc.Name, ServiceClass: "lab_plain_service"})
	source := func(context.Context) (client.Token, error) { return made, nil }
	server, err := remote.New("ws://"+r.Addr+"/", source, svc, remote.Options{Client: client.Options{ConnectTimeout: patience, Reconnect: client.Reconnect{Disabled: true}}})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	r.t.Cleanup(func() {
		select {
		case err := <-ended:
			r.t.Errorf("the service ended before it was told to: %v", err)
		default:
			cancel()
			<-ended // at its end it may find the router gone
		}
	})
	ask := r.connect(token.Spec{})
	for ready := false; !ready; { // a request for a service that is not there yet has no answer
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := ask.Request(ctx, svc.Name, "echo", 0)
		cancel()
		ready = err == nil
	}
}

// open gives everybody everything, and a busy machine time.
const open = "policies: {lab_plain_service: {scopes: [{to: all}]}}\nupgrade: {pause: 1m, timeout: 2m}\n"
