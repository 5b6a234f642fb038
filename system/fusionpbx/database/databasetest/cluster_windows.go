package databasetest

import (
	"errors"
	"net"
	"os"
	"testing"

	"strowger/config"
)

// Password is that of the user in Config. It may show nowhere.
const Password = `pass'w\rd`

// Cluster stands for a server. On Windows there is none.
type Cluster struct{ t testing.TB }

// Start skips the test: the server of a test listens on a Unix socket and runs as a user of Unix.
func Start(t testing.TB) *Cluster {
	t.Helper()
	if os.Getenv("STROWGER_REQUIRE_POSTGRES") == "1" {
		t.Fatal("STROWGER_REQUIRE_POSTGRES is 1, and on Windows no PostgreSQL is started")
	}
	t.Skip("on Windows no PostgreSQL is started")
	return &Cluster{t}
}

// Start fails the test.
func (c *Cluster) Start() { c.fail() }

// Stop fails the test.
func (c *Cluster) Stop() { c.fail() }

// Database fails the test.
func (c *Cluster) Database() config.Database {
	c.fail()
	return config.Database{}
}

// Exec fails the test.
func (c *Cluster) Exec(string, string) { c.fail() }

// Text fails the test.
func (c *Cluster) Text(string, string) string {
	c.fail()
	return ""
}

// Dial returns an error.
func (c *Cluster) Dial() (net.Conn, error) { return nil, errors.ErrUnsupported }

func (c *Cluster) fail() {
	c.t.Helper()
	c.t.Fatal("there is no cluster on Windows")
}
