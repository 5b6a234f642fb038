package natsbus

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

const (
	// insideMaxBytes is the longest message that the server inside takes; NATS advises against more.
	insideMaxBytes = 8 << 20
	// noPort is where the server listens for clients: nowhere, because there is no such port. With DontListen it would
	// have no routes either (v2.15.3: they wait for the attempt to listen).
	noPort = 65536
	// routeUser is the name that nodes show with the secret, which is what counts.
	routeUser = "strowger"
	// listenAgain is the time between two attempts to listen at an address in use.
	listenAgain = 100 * time.Millisecond
	// startup is how long the server inside may take.
	startup = 30 * time.Second
)

// serve starts the server inside. If the address is in use it tries again for patience.
func (b *Bus) serve(patience time.Duration) (*natsserver.Server, error) {
	for until := time.Now().Add(patience); ; {
		server, err := b.start()
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(until) {
			return server, err
		}
		b.state.down(fmt.Errorf("cluster.listen: %w", err))
		select {
		case <-time.After(listenAgain):
		case <-b.hasty:
			return nil, err
		}
	}
}

func (b *Bus) start() (*natsserver.Server, error) {
	options, err := b.serverOptions()
	if err != nil {
		return nil, err
	}
	if err := canListen(b.cfg.Listen); err != nil {
		return nil, err
	}
	server, err := natsserver.NewServer(options)
	if err != nil {
		return nil, err //nolint:wrapcheck // Open says whose error it is
	}
	log := &serverLog{quiet: b.quiet, fatal: make(chan error, 1)}
	server.SetLoggerV2(log, true, false, false)
	server.Start()
	if err := listening(server, log); err != nil {
		server.Shutdown()
		server.WaitForShutdown()
		return nil, err
	}
	return server, nil
}

// listening waits until the server accepts other nodes.
func listening(server *natsserver.Server, log *serverLog) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(startup)
	for server.ClusterAddr() == nil {
		select {
		case <-again.C:
		case err := <-log.fatal:
			return err
		case <-late:
			return errors.New("the NATS server inside does not start")
		}
	}
	return nil
}

// canListen returns why an address cannot be used, in the system's words. The server only has a text for it.
func canListen(address string) error {
	probe, err := net.Listen("tcp", address)
	if err != nil {
		return err //nolint:wrapcheck // Open says whose error it is
	}
	return probe.Close()
}

func (b *Bus) serverOptions() (*natsserver.Options, error) {
	host, portText, err := net.SplitHostPort(b.cfg.Listen)
	if err != nil {
		return nil, err //nolint:wrapcheck // the configuration was checked
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if port == 0 {
		port = natsserver.RANDOM_PORT
	}
	secret, err := b.files.secret()
	if err != nil {
		return nil, err
	}
	options := &natsserver.Options{
		ServerName:          rand.Text(), // two processes of one node overlap during an upgrade
		Port:                noPort,
		NoSigs:              true,
		NoSystemAccount:     true,
		NoFastProducerStall: true, // drops what a slow node does not take, and lets others not wait for it
		MaxPayload:          insideMaxBytes,
		MaxPending:          int64(b.cfg.PendingBytes),
		Cluster: natsserver.ClusterOpts{
			Name: b.cfg.Name, Host: host, Port: port,
			PoolSize:    -1, // one connection for each node keeps the order of its messages
			NoAdvertise: true,
			// A node that was found by way of another one is tried for a day once it is gone.
			ConnectRetries: 3000, ConnectBackoff: true,
			PingInterval: 2 * time.Second, MaxPingsOut: 3,
			TLSTimeout: 5, AuthTimeout: 10,
		},
	}
	if b.cfg.TLSCertificate != "" {
		if options.Cluster.TLSConfig, err = b.files.tls(); err != nil {
			return nil, err
		}
	}
	if secret != "" {
		options.Cluster.Username, options.Cluster.Password = routeUser, secret
		options.CustomRouterAuthentication = &doorman{secret: sha256.Sum256([]byte(secret)), quiet: b.quiet}
	}
	for _, text := range b.cfg.RouteURLs() {
		route, err := url.Parse(text)
		if err != nil {
			return nil, err //nolint:wrapcheck // as above
		}
		if secret != "" {
			route.User = url.UserPassword(routeUser, secret)
		}
		options.Routes = append(options.Routes, route)
	}
	return options, nil
}

// doorman lets nodes in that know the secret.
type doorman struct {
	secret [sha256.Size]byte
	quiet  *quiet
}

// Check implements natsserver.Authentication.
func (d *doorman) Check(c natsserver.ClientAuthentication) bool {
	shown := sha256.Sum256([]byte(c.GetOpts().Password))
	if subtle.ConstantTimeCompare(shown[:], d.secret[:]) == 1 {
		return true
	}
	remote := ""
	if addr := c.RemoteAddress(); addr != nil {
		remote = addr.String()
	}
	d.quiet.log(slog.LevelWarn, "a node with another secret was refused", "remote", remote, "setting", "cluster.secret_file")
	return false
}
