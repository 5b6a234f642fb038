package peer

import (
	"fmt"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const startTimeout = 10 * time.Second

// NATS runs nats-server with nothing but its WebSocket listener, on a free port of the loopback, and
// tells listening its address.
func NATS(listening func(addr string)) error {
	s, err := server.NewServer(&server.Options{
		DontListen: true,
		NoSigs:     true,
		NoLog:      true,
		// Those who do not read are cut off where strowger cuts them off.
		MaxPending: 4 << 20,
		Websocket:  server.WebsocketOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoTLS: true},
	})
	if err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		return fmt.Errorf("not ready within %s", startTimeout)
	}
	at, err := url.Parse(s.WebsocketURL())
	if err != nil {
		return err
	}
	listening(at.Host)
	s.WaitForShutdown()
	return nil
}
