package system

import (
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/client"
)

// deafen connects somebody who shows a token and never reads, and whose kernel takes little.
func deafen(t *testing.T, s *System, made client.Token) {
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
	plain, err := d.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	conn, _, err := gws.NewClientFromConn(new(gws.BuiltinEventHandler), &gws.ClientOption{Addr: "ws://" + s.Addr().String() + "/"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.WriteString(`{"service":"authentication","token":{"name":"` + made.Name + `","hash":"` + made.Hash + `"}}`); err != nil {
		t.Fatal(err)
	}
}

// TestStopDoesNotWaitForTheDeaf: clients that do not read have a share of the time, and the others all of it.
func TestStopDoesNotWaitForTheDeaf(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell who takes nothing")
	}
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	cfg.Limits.WriteTimeout = 10 * time.Minute
	cfg.Shutdown.Timeout = time.Second // a quarter of it is for the deaf; stop waits much longer
	s, stop := startStoppable(t, cfg)
	deafen(t, s, mint(t, cfg.Tokens.Directory, user("a.example", nil, "weather")))
	weather := join(t, s, remote("weather", "weather_service"))
	eventually(t, "somebody does not read", func() bool {
		weather.sendf(`{"service_name":"weather","payload":%q}`, strings.Repeat("x", 1<<20))
		return s.source().Metrics().Waiting > 0
	})
	stop() // fails if it takes all the time that it has
	<-weather.closed
}
