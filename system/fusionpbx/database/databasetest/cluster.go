//go:build unix

package databasetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"strowger/config"
)

const (
	// Password is that of the user in Config. It may show nowhere.
	Password = `pass'w\rd`
	username = "fusionpbx"
	template = "site"
	// patience is how long a test waits for what must happen; only a test that fails takes that long.
	patience = 60 * time.Second
)

// Cluster is a PostgreSQL server of a test's own, on a socket in a temporary directory. Its methods are for
// the test's own goroutine.
type Cluster struct {
	t        testing.TB
	postgres string
	dir      string
	as       *syscall.Credential
	server   *exec.Cmd // nil: it does not run
	exited   chan struct{}
	log      *output
	made     int // databases
}

// Start starts a server, loads the site into it and stops it when the test ends.
func Start(t testing.TB) *Cluster {
	t.Helper()
	initdb, postgres := programs(t)
	// Not below t.TempDir, which only this process's user may enter, and whose path may be too long for a
	// socket.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t, postgres: postgres, dir: dir, as: nobody(t)}
	t.Cleanup(func() {
		c.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if c.as != nil {
		if err := os.Chown(dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	c.initialize(initdb)
	c.Start()
	c.Exec("postgres", "create database "+template)
	for _, file := range []string{"schema.sql", "site.sql"} {
		c.Exec(template, readFile(t, file))
	}
	return c
}

// readFile returns a file of the site, whichever package of the module is tested.
func readFile(t testing.TB, name string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("the test does not run in a directory of the module")
		}
		root = filepath.Dir(root)
	}
	data, err := os.ReadFile(filepath.Join(root, "testdata/fusionpbx/db", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// initialize makes the server's files.
func (c *Cluster) initialize(initdb string) {
	c.t.Helper()
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(Password+"\n"), 0o644); err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(initdb, "-D", c.data(), "-U", username, "--pwfile", secret, "-A", "scram-sha-256",
		"-E", "UTF8", "--locale", "C", "--no-sync")
	cmd.Dir = c.dir
	cmd.SysProcAttr = attributes(c.as)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("initdb: %v\n%s", err, out)
	}
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// Start starts the server again after Stop, and returns when it takes connections.
func (c *Cluster) Start() {
	c.t.Helper()
	cmd := exec.Command(c.postgres, "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "max_connections=20", "-c", "log_min_messages=log", "-c", "shared_buffers=16MB")
	cmd.Dir = c.dir
	cmd.SysProcAttr = attributes(c.as)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.server, c.exited, c.log = cmd, make(chan struct{}), &output{ready: make(chan struct{})}
	go func(exited chan struct{}, log *output) {
		defer close(exited)
		log.read(stderr)
		_ = cmd.Wait()
	}(c.exited, c.log)
	select {
	case <-c.log.ready:
	case <-c.exited:
		c.t.Fatalf("PostgreSQL ended: %s", c.log)
	case <-time.After(patience):
		c.t.Fatalf("PostgreSQL takes no connections: %s", c.log)
	}
}

// Stop stops the server, which ends all connections at once, and returns when it has ended.
func (c *Cluster) Stop() {
	c.t.Helper()
	if c.server == nil {
		return
	}
	if err := c.server.Process.Signal(syscall.SIGINT); err != nil {
		c.t.Error(err)
	}
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.t.Errorf("PostgreSQL does not stop: %s", c.log)
		_ = syscall.Kill(-c.server.Process.Pid, syscall.SIGKILL)
		<-c.exited
	}
	c.server = nil
}

// Database makes a database with the site in it and returns how config.conf would name it.
func (c *Cluster) Database() config.Database {
	c.t.Helper()
	c.made++
	name := fmt.Sprintf("site%d", c.made)
	c.Exec("postgres", "create database "+name+" template "+template)
	return config.Database{Type: "pgsql", Host: c.dir, Port: 5432, Name: name, Username: username, Password: Password}
}

// Exec runs statements in a database.
func (c *Cluster) Exec(name, sql string) {
	c.t.Helper()
	c.do(name, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// Text returns the only value of an answer.
func (c *Cluster) Text(name, sql string) string {
	c.t.Helper()
	var value *string
	c.do(name, func(ctx context.Context, conn *pgx.Conn) error { return conn.QueryRow(ctx, sql).Scan(&value) })
	if value == nil {
		return "null"
	}
	return *value
}

func (c *Cluster) do(name string, f func(context.Context, *pgx.Conn) error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cfg, err := pgx.ParseConfig("sslmode=disable database=" + name + " user=" + username + " host=" + c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	cfg.Password = Password
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		c.t.Fatalf("%v: %s", err, c.log)
	}
	defer conn.Close(ctx)
	if err := f(ctx, conn); err != nil {
		c.t.Fatal(err)
	}
}

// Dial connects to the server past the client library.
func (c *Cluster) Dial() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(c.dir, ".s.PGSQL.5432"))
}

// output is what the server writes to stderr.
type output struct {
	ready chan struct{} // closed when it takes connections

	mu   sync.Mutex // Protects following.
	text bytes.Buffer
}

func (o *output) read(from io.Reader) {
	announced := false
	for lines := bufio.NewScanner(from); lines.Scan(); {
		o.mu.Lock()
		o.text.WriteString(lines.Text() + "\n")
		o.mu.Unlock()
		if !announced && strings.Contains(lines.Text(), "database system is ready to accept connections") {
			announced = true
			close(o.ready)
		}
	}
}

// String returns all that was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
