package natsbus

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"strowger/config"
)

// outside opens a bus at an external NATS.
func outside(t *testing.T, address string, change func(c *config.Cluster)) *bus {
	t.Helper()
	return open(t, settings(t, func(c *config.Cluster) {
		c.NATS = []string{address}
		if change != nil {
			change(c)
		}
	}))
}

// talks fails unless two buses made alike hear each other.
func talks(t *testing.T, make func() *bus) {
	t.Helper()
	a, b := make(), make()
	heard := b.hears(t, "strowger.strowger.x")
	a.calls(t, heard, "strowger.strowger.x")
}

func TestPassword(t *testing.T) {
	address, _ := external(t, func(o *natsserver.Options) { o.Username, o.Password = "me", "pass" })
	right, wrong := file(t, "pass\n"), file(t, "guess\n")
	with := func(path string) func() *bus {
		return func() *bus {
			return outside(t, address, func(c *config.Cluster) { c.User, c.PasswordFile = "me", path })
		}
	}
	talks(t, with(right))
	b := with(wrong)()
	b.log.await(t, "the cluster's bus cannot be reached", "Authorization Violation", "setting=cluster.user")
	if s := b.Status(); s.Connected || !strings.Contains(s.Err, "Authorization Violation") {
		t.Errorf("status is %+v", s)
	}
	// The file is read again, so whoever corrects it need not restart.
	if err := os.WriteFile(wrong, []byte("pass"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "it does not connect with the right password", func() bool { return b.Status().Connected })
}

func TestNKey(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := pair.PublicKey()
	seed, _ := pair.Seed()
	address, _ := external(t, func(o *natsserver.Options) { o.Nkeys = []*natsserver.NkeyUser{{Nkey: public}} })
	path := file(t, string(seed)+"\n")
	talks(t, func() *bus {
		return outside(t, address, func(c *config.Cluster) { c.NKeyFile = path })
	})
	outside(t, address, nil).log.await(t, "cannot be reached", "setting=cluster.user")
}

func TestCredentials(t *testing.T) {
	operator, _ := nkeys.CreateOperator()
	account, _ := nkeys.CreateAccount()
	user, _ := nkeys.CreateUser()
	accountID, _ := account.PublicKey()
	userID, _ := user.PublicKey()
	accountJWT, err := jwt.NewAccountClaims(accountID).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	userJWT, err := jwt.NewUserClaims(userID).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := user.Seed()
	credentials, err := jwt.FormatUserConfig(userJWT, seed)
	if err != nil {
		t.Fatal(err)
	}
	operatorID, _ := operator.PublicKey()
	resolver := &natsserver.MemAccResolver{}
	if err := resolver.Store(accountID, accountJWT); err != nil {
		t.Fatal(err)
	}
	address, _ := external(t, func(o *natsserver.Options) {
		o.TrustedKeys, o.AccountResolver = []string{operatorID}, resolver
	})
	path := file(t, string(credentials))
	talks(t, func() *bus {
		return outside(t, address, func(c *config.Cluster) { c.CredsFile = path })
	})
}

func TestTLSOutside(t *testing.T) {
	ours := newAuthority(t)
	certificate, key := ours.pair()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ours.certificate)
	address, _ := external(t, func(o *natsserver.Options) {
		o.TLS, o.TLSVerify, o.TLSTimeout = true, true, 10
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	})
	mine, private := ours.pair()
	talks(t, func() *bus {
		return outside(t, "tls://"+address, func(c *config.Cluster) { c.TLSCA, c.TLSCertificate, c.TLSKey = ours.path, mine, private })
	})
	outside(t, "tls://"+address, nil).log.await(t, "cannot be reached", "unknown authority", "setting=cluster.nats")
}

// A bus that is away is no reason not to start. Nothing is kept for later. What a node listens to comes again.
func TestAwayAndBack(t *testing.T) {
	address, stop := external(t, nil)
	b := outside(t, address, nil)
	heard := b.hears(t, "x")
	b.calls(t, heard, "x")
	stop()
	b.log.await(t, "lost the connection to the cluster's bus", "setting=cluster.nats")
	if s := b.Status(); s.Connected || s.Err == "" || s.Disconnects != 1 {
		t.Errorf("status is %+v", s)
	}
	if err := b.Publish("x", []byte("while nobody was there")); !errors.Is(err, errAway) {
		t.Errorf("Publish returns %v", err)
	}
	late := outside(t, address, nil)
	late.log.await(t, "the cluster's bus cannot be reached")
	if err := late.Publish("x", nil); !errors.Is(err, errAway) {
		t.Errorf("Publish returns %v", err)
	}
	all := late.hears(t, "x")

	_, port, _ := strings.Cut(address, ":")
	again, _ := external(t, func(o *natsserver.Options) { o.Port = number(port) })
	if again != address {
		t.Fatalf("the server is back at %s", again)
	}
	b.calls(t, heard, "x")
	late.calls(t, all, "x")
	b.publish(t, "x", "now")
	for _, c := range []<-chan string{heard, all} {
		if got := next(t, c); got != "x now" {
			t.Errorf("got %q", got)
		}
	}
	if s := b.Status(); !s.Connected || s.Err != "" {
		t.Errorf("status is %+v", s)
	}
}

func number(text string) (n int) {
	for _, digit := range text {
		n = n*10 + int(digit-'0')
	}
	return n
}

func TestMaxBytesOfTheServer(t *testing.T) {
	address, _ := external(t, func(o *natsserver.Options) { o.MaxPayload = 12345 })
	b := outside(t, address, nil)
	if b.MaxBytes() != 12345 {
		t.Errorf("a message may have %d bytes, want 12345", b.MaxBytes())
	}
	if err := b.Publish("x", make([]byte, 12346)); err == nil {
		t.Error("a message that is too long is published")
	}
}

func TestSubjectsRefused(t *testing.T) {
	address, _ := external(t, func(o *natsserver.Options) {
		nothing := &natsserver.SubjectPermission{Deny: []string{">"}}
		o.Users = []*natsserver.User{{Username: "me", Password: "pass", Permissions: &natsserver.Permissions{Publish: nothing}}}
	})
	path := file(t, "pass")
	b := outside(t, address, func(c *config.Cluster) { c.User, c.PasswordFile = "me", path })
	b.publish(t, "strowger.strowger.all", "x")
	b.log.await(t, "allow publish and subscribe", "subjects=strowger.strowger.>", "setting=cluster.user")
	if s := b.Status(); !s.Connected || !strings.Contains(strings.ToLower(s.Err), "permissions violation") {
		t.Errorf("status is %+v", s)
	}
}

// Messages beyond the bound are dropped, the others come in order.
func TestTooManyAtOnce(t *testing.T) {
	address, _ := external(t, nil)
	a := outside(t, address, nil)
	b := prepare(t, settings(t, func(c *config.Cluster) { c.NATS = []string{address} }))
	b.arrived.messages = make(chan *nats.Msg, 2)
	if err := b.Open(0); err != nil {
		t.Fatal(err)
	}
	held, hold := make(chan string, 1000), make(chan struct{})
	if err := b.Listen("x", func(data []byte) {
		held <- string(data)
		<-hold
	}); err != nil {
		t.Fatal(err)
	}
	a.publish(t, "x", "a")
	take := func(want string) {
		t.Helper()
		select {
		case got := <-held:
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("%s does not come", want)
		}
	}
	take("a")
	for _, text := range "bcdef" {
		a.publish(t, "x", string(text))
	}
	b.log.await(t, "messages of other nodes were dropped", "limit=2")
	until(t, "not all have arrived", func() bool { return b.Status().Dropped == 3 })
	if n := b.Status().Waiting; n != 2 {
		t.Errorf("%d wait", n)
	}
	close(hold)
	take("b")
	take("c")
	a.publish(t, "x", "g")
	take("g")
}

// Messages whose bytes are beyond the bound are not read before those in front of them have been taken. None is lost.
func TestTooManyBytesAtOnce(t *testing.T) {
	const size, count, limit = 256 << 10, 24, 1 << 20
	address, _ := external(t, nil)
	a := outside(t, address, nil)
	b := outside(t, address, func(c *config.Cluster) { c.QueueBytes = limit })
	held, hold := make(chan byte, count), make(chan struct{})
	if err := b.Listen("x", func(data []byte) {
		held <- data[0]
		<-hold
	}); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		text := make([]byte, size)
		text[0] = byte(i)
		if err := a.Publish("x", text); err != nil {
			t.Fatal(err)
		}
	}
	b.log.await(t, "messages of other nodes wait unread", "limit=1048576", "setting=cluster.queue_bytes")
	if n := b.Status().Waiting; n > limit/size+1 {
		t.Errorf("%d messages of %d bytes wait, the limit is %d bytes", n, size, limit)
	}
	close(hold)
	for i := range count {
		select {
		case got := <-held:
			if int(got) != i {
				t.Fatalf("got %d, want %d", got, i)
			}
		case <-time.After(patience):
			t.Fatalf("%d does not come", i)
		}
	}
	if n := b.Status().Dropped; n != 0 {
		t.Errorf("%d were dropped", n)
	}
}

// Close returns while whoever takes messages is slow, once the last one has been taken, and nothing is taken after it.
func TestNothingIsTakenAfterClose(t *testing.T) {
	address, _ := external(t, nil)
	a, b := outside(t, address, nil), outside(t, address, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	taken, hold := make(chan string, 10), make(chan struct{})
	if err := b.Listen("x", func(data []byte) {
		taken <- string(data)
		<-hold
	}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		a.publish(t, "x", "y")
	}
	select {
	case <-taken:
	case <-ctx.Done():
		t.Fatal("nothing comes")
	}
	until(t, "the others do not come", func() bool { return b.Status().Waiting == 4 })
	closed := make(chan struct{})
	go func() {
		b.Close()
		close(closed)
	}()
	<-b.quit
	close(hold)
	<-closed
	if len(taken) != 0 {
		t.Errorf("%d are taken after Close", len(taken))
	}
}

// Close ends a Publish that waits for a bus that takes nothing.
func TestCloseEndsPublish(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := deaf.Accept()
		if err != nil {
			return
		}
		lines := bufio.NewReader(conn)
		_, _ = conn.Write([]byte("INFO {\"server_id\":\"x\",\"max_payload\":1048576}\r\n"))
		for range 2 { // CONNECT and PING
			_, _ = lines.ReadString('\n')
		}
		_, _ = conn.Write([]byte("PONG\r\n"))
		accepted <- conn
	}()
	b := outside(t, deaf.Addr().String(), nil)
	conn := <-accepted
	defer conn.Close()
	failed := make(chan struct{})
	go func() {
		defer close(failed)
		for b.Publish("x", make([]byte, 1<<20)) == nil {
		}
	}()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		b.Close()
	}()
	for _, done := range []chan struct{}{failed, closed} {
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("Publish or Close does not return")
		}
	}
}
