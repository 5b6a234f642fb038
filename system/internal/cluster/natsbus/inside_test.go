package natsbus

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"strowger/config"
)

// What a node publishes arrives at another in order, whatever the subjects, and once.
func TestOrderBetweenSubjects(t *testing.T) {
	a := node(t, secret)
	b := node(t, secret, a.Status().Listen)
	heard := b.hears(t, "all", "one")
	a.calls(t, heard, "all")
	a.calls(t, heard, "one")
	const messages = 20_000
	for i := range messages {
		a.publish(t, []string{"all", "one", "nobody"}[i%3], fmt.Sprint(i))
	}
	for i := range messages {
		if i%3 == 2 {
			continue
		}
		want := fmt.Sprint([]string{"all", "one"}[i%3], " ", i)
		if got := next(t, heard); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if n := a.Status().Routes; n != 1 {
		t.Errorf("%d routes, want 1", n)
	}
	if s := b.Status(); !s.Connected || s.Server != "inside" || s.Err != "" || s.Dropped != 0 {
		t.Errorf("status is %+v", s)
	}
}

// A node that knows one other node finds all of them.
func TestNodesFindEachOther(t *testing.T) {
	a := node(t, secret)
	b := node(t, secret, a.Status().Listen)
	c := node(t, secret, b.Status().Listen)
	heard := a.hears(t, "a")
	b.calls(t, heard, "a")
	c.calls(t, heard, "a")
	until(t, "a and c have no connection of their own", func() bool { return a.Status().Routes == 2 && c.Status().Routes == 2 })
	b.Close()
	c.calls(t, heard, "a")
}

// What was published before Close leaves, though the server ends with it.
func TestCloseSendsWhatWaits(t *testing.T) {
	a := node(t, secret)
	b := node(t, secret, a.Status().Listen)
	heard := b.hears(t, "b")
	a.calls(t, heard, "b")
	for i := range 1000 {
		a.publish(t, "b", fmt.Sprint(i))
	}
	a.publish(t, "b", "bye")
	a.Close()
	for i := range 1000 {
		if got, want := next(t, heard), fmt.Sprint("b ", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if got := next(t, heard); got != "b bye" {
		t.Errorf("the last is %q", got)
	}
	if err := a.Publish("b", nil); err == nil {
		t.Error("a closed bus publishes")
	}
}

// A node with another secret gets nowhere, and both logs say why.
func TestAnotherSecret(t *testing.T) {
	for name, shown := range map[string]string{"wrong": another, "none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := node(t, secret)
			b := node(t, shown, a.Status().Listen)
			a.log.await(t, "a node with another secret was refused", "remote=127.0.0.1:", "cluster.secret_file")
			b.log.await(t, "another node refuses the secret of this one", "cluster.secret_file")
			if n := a.Status().Routes; n != 0 {
				t.Errorf("there are %d routes", n)
			}
			for _, log := range []string{a.log.String(), b.log.String()} {
				if strings.Contains(log, secret) || strings.Contains(log, another) {
					t.Errorf("a secret is in the log:\n%s", log)
				}
			}
		})
	}
}

// Nodes of two clusters do not mix, and both logs say why.
func TestAnotherCluster(t *testing.T) {
	a := node(t, secret)
	b := open(t, settings(t, func(c *config.Cluster) {
		c.Name, c.Listen, c.Routes, c.Secret = "other", "127.0.0.1:0", []string{a.Status().Listen}, secret
	}))
	for _, log := range []*logbook{a.log, b.log} {
		log.await(t, "a node of another cluster cannot be linked", "cluster.name")
	}
}

// Nodes with certificates of the cluster's authority link. Others are refused, and both logs say why.
func TestCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	with := func(authority, trusted *authority, routes ...string) *bus {
		return open(t, settings(t, func(c *config.Cluster) {
			c.Listen, c.Routes, c.TLSCA = "127.0.0.1:0", routes, trusted.path
			c.TLSCertificate, c.TLSKey = authority.pair()
		}))
	}
	a := with(ours, ours)
	b := with(ours, ours, a.Status().Listen)
	heard := a.hears(t, "a")
	b.calls(t, heard, "a")

	stranger := with(theirs, ours, a.Status().Listen)
	a.log.await(t, "TLS with another node fails", "cluster.tls_certificate")
	stranger.log.await(t, "the connection to another node ended; if the nodes never link, the log of the other one says why")
	suspicious := with(ours, theirs, a.Status().Listen)
	suspicious.log.await(t, "TLS with another node fails", "unknown authority")
	node(t, "", a.Status().Listen)
	a.log.await(t, "TLS with another node fails", "does not look like a TLS handshake")
	if n := a.Status().Routes; n != 1 {
		t.Errorf("there are %d routes, want that of b", n)
	}
}

// The server inside has no port for clients.
func TestNoClientPort(t *testing.T) {
	b := node(t, "")
	if addr := b.server.Addr(); addr != nil {
		t.Errorf("clients can connect to %v", addr)
	}
	if b.MaxBytes() != insideMaxBytes {
		t.Errorf("a message may have %d bytes, want %d", b.MaxBytes(), insideMaxBytes)
	}
	if host, _, err := net.SplitHostPort(b.Status().Listen); err != nil || host != "127.0.0.1" {
		t.Errorf("the server listens at %s", b.Status().Listen)
	}
}

// An address in use is an error at once, and none if it becomes free in time.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := settings(t, func(c *config.Cluster) { c.Listen = taken.Addr().String() })
	b := prepare(t, cfg)
	if err := b.Open(0); err == nil || !strings.Contains(err.Error(), "cluster.listen: ") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the error is %v", err)
	}
	opened := make(chan error, 1)
	go func() { opened <- b.Open(patience) }()
	// Whoever asks how the bus is does not wait as well, and learns why it is not there.
	until(t, "the status does not say that the address is in use", func() bool {
		return strings.Contains(b.Status().Err, "in use")
	})
	select {
	case err := <-opened:
		t.Fatalf("it does not wait: %v", err)
	default:
	}
	_ = taken.Close()
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); !s.Connected || s.Err != "" {
		t.Errorf("status is %+v", s)
	}
}

// Close ends an Open that waits for its address.
func TestCloseEndsOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	b := prepare(t, settings(t, func(c *config.Cluster) { c.Listen = taken.Addr().String() }))
	opened := make(chan error, 1)
	go func() { opened <- b.Open(time.Hour) }()
	b.Close()
	if err := <-opened; err == nil {
		t.Error("Open succeeds")
	}
	if err := b.Open(0); err == nil {
		t.Error("a closed bus opens")
	}
}

// A node that takes nothing misses what is beyond cluster.pending_bytes. Neither the sender nor another node waits for it.
func TestSlowNode(t *testing.T) {
	slow := node(t, secret)
	way := newTurnstile(t, slow.Status().Listen)
	a := open(t, settings(t, func(c *config.Cluster) {
		c.Listen, c.Secret, c.Routes, c.PendingBytes = "127.0.0.1:0", secret, []string{way.address}, 16*config.MiB
	}))
	other := node(t, secret, a.Status().Listen)
	behind, there := slow.hears(t, "x"), other.hears(t, "x")
	a.calls(t, behind, "x")
	a.calls(t, there, "x")
	way.close()
	const messages = 64
	filler := strings.Repeat("-", 1<<20)
	for i := range messages {
		a.publish(t, "x", fmt.Sprint(i, " ", filler))
		if got, want := next(t, there), fmt.Sprint("x ", i, " "); !strings.HasPrefix(got, want) {
			t.Fatalf("the other node got %.20q, want %q", got, want)
		}
	}
	way.open()
	heard, last := 0, -1
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); last < messages; { // until it hears what is said after it has caught up
		select {
		case <-again.C:
			a.publish(t, "x", fmt.Sprint(messages, " "))
		case text := <-behind:
			if strings.HasSuffix(text, " hello") {
				continue
			}
			i := -1
			if _, err := fmt.Sscanf(text, "x %d ", &i); err != nil || i < last {
				t.Fatalf("the slow node got %.20q after %d: %v", text, last, err)
			}
			last = i
			heard++
		case <-late:
			t.Fatal("the slow node never catches up")
		}
	}
	if heard == 0 || heard > messages/2+1 {
		t.Errorf("the slow node heard %d of %d messages, want some and fewer than half", heard-1, messages)
	}
}
