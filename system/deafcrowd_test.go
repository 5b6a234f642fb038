package system

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/client"
	"strowger/config"
	"strowger/system/service"
)

// deaf returns a connection that takes little while nobody reads from it.
func deaf(t *testing.T, addr string, config *tls.Config) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if bad := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(socketOf(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		}); bad != nil {
			return bad
		}
		return err
	}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if config != nil {
		conn = tls.Client(conn, config)
	}
	return conn
}

// deafPeer shows a token on such a connection and never reads the answer.
func deafPeer(t *testing.T, s *System, config *tls.Config, made client.Token) *gws.Conn {
	t.Helper()
	conn, _, err := gws.NewClientFromConn(new(gws.BuiltinEventHandler), &gws.ClientOption{Addr: "ws://" + s.Addr().String() + "/"}, deaf(t, s.Addr().String(), config))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.WriteString(`{"service":"authentication","token":{"name":"` + made.Name + `","hash":"` + made.Hash + `"}}`); err != nil {
		t.Fatal(err)
	}
	return conn
}

// withCertificate gives the router a certificate and returns how to connect.
func withCertificate(t *testing.T, cfg *config.Config) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg.Listen.TLSCertificate, cfg.Listen.TLSKey = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for path, block := range map[string]*pem.Block{
		cfg.Listen.TLSCertificate: {Type: "CERTIFICATE", Bytes: cert},
		cfg.Listen.TLSKey:         {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &tls.Config{InsecureSkipVerify: true}
}

// TestStopDoesNotWaitForACrowdOfTheDeaf: several of every kind of peer that does not read do not hold up a stop, which
// fails after much less than the time that each of them has for one write.
func TestStopDoesNotWaitForACrowdOfTheDeaf(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell who takes nothing")
	}
	const crowd = 5 // of each kind
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Routing.DefaultPolicy = "allow"
			cfg.Admin.Address = "127.0.0.1:0"
			cfg.Limits.WriteTimeout, cfg.Admin.WriteTimeout = 10*time.Minute, 10*time.Minute
			cfg.Limits.OutboundBytes = 64 * config.MiB
			cfg.Shutdown.Timeout = time.Second
			var trust *tls.Config
			if secure {
				trust = withCertificate(t, cfg)
			}
			s, stop := startStoppable(t, cfg, &service.Service{Name: "loud", Policy: service.Everyone(), Setup: func(s service.Setup) error {
				s.Handle("shout", func(r service.Request) error { r.Reply(strings.Repeat("x", 900<<10)); return nil })
				return nil
			}})
			dir := cfg.Tokens.Directory
			made := func(services ...string) client.Token { return mint(t, dir, user("a.example", nil, services...)) }
			var askers []*gws.Conn
			for range crowd {
				askers = append(askers, deafPeer(t, s, trust, made("loud")))
				closing := deafPeer(t, s, trust, made("loud"))
				if err := closing.WriteClose(1000, nil); err != nil {
					t.Fatal(err)
				}
				deafPeer(t, s, trust, mint(t, dir, remote("weather", "weather_service")))
				silent := deaf(t, s.Addr().String(), nil)
				fmt.Fprint(silent, "\x16\x03\x01\x40\x00\x01")
				eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
				admin := deaf(t, s.AdminAddr().String(), nil)
				fmt.Fprint(admin, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 20))
			}
			for i := range 8 * crowd { // a kernel takes some megabytes for each
				if err := askers[i%crowd].WriteString(fmt.Sprintf(`{"service":"loud","topic":"shout","request_id":"%d"}`, i)); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "answers wait for those who do not read", func() bool { return s.source().Metrics().Waiting > 5<<20 })
			stop()
			if n := s.Connections(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}
