package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/client"
	"strowger/cmd/strowger/internal/errno"
	"strowger/system/token"
)

// errInterrupted means that SIGINT or SIGTERM ended a verb.
var errInterrupted = errors.New("interrupted")

// connectionHelp is told with every verb that connects.
const connectionHelp = `
It authenticates with --token-name and --token-hash, or with STROWGER_TOKEN=NAME:HASH,
which other users of the machine cannot see. With neither it makes a token itself, in
--token-dir, so it has to run as the daemon's user. A daemon that does not run as root
cannot read a token that root makes: use sudo -u USER.`

// connectionFlags say where to connect and who to be.
type connectionFlags struct {
	url                    string
	tokenName, tokenHash   string
	tokenDir               string
	permissions            []string
	domainName, domainUUID string
	timeout                time.Duration
}

func addConnectionFlags(cmd *cobra.Command) *connectionFlags {
	f := &connectionFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "ws://127.0.0.1:8080/", "`URL` of the router")
	flags.StringVar(&f.tokenName, "token-name", "", "`NAME` of a token")
	flags.StringVar(&f.tokenHash, "token-hash", "", "`HASH` of that token")
	flags.StringVar(&f.tokenDir, "token-dir", "", "make a token in `DIR` (default: where the daemon looks by default)")
	flags.StringArrayVar(&f.permissions, "permission", nil, "grant `PERMISSION` to the token that is made; may be repeated")
	flags.StringVar(&f.domainName, "domain-name", "", "`NAME` of the domain of the token that is made")
	flags.StringVar(&f.domainUUID, "domain-uuid", "", "`UUID` of that domain")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "longest `TIME` to wait")
	return f
}

// check refuses flags that make no sense.
func (f *connectionFlags) check(flags *pflag.FlagSet) error {
	if err := notEmpty(flags, "url", "token-name", "token-hash", "permission", "domain-name", "domain-uuid"); err != nil {
		return err
	}
	for _, pair := range [][2]string{{"token-name", "token-hash"}, {"token-hash", "token-name"}} {
		if flags.Changed(pair[0]) && !flags.Changed(pair[1]) {
			return usage("--%s is missing, --%s needs it", pair[1], pair[0])
		}
	}
	if f.timeout <= 0 {
		return usage("--timeout: %v is not a time to wait", f.timeout)
	}
	u, err := url.Parse(f.url)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" {
		return usage("--url: %q is no address of a router, write ws://HOST:PORT/, or wss:// for TLS", f.url)
	}
	return nil
}

// connection is a client that takes its own token files away again.
type connection struct {
	*client.Client
	mint *token.Mint // nil with a token from outside
}

// connect connects as told, as a subscriber of the services. onState may be nil.
func (p *program) connect(ctx context.Context, f *connectionFlags, services []string, onState func(client.State, error)) (*connection, error) {
	given, err := p.givenToken(f)
	if err != nil {
		return nil, err
	}
	opts := client.Options{
		ConnectTimeout: f.timeout,
		RequestTimeout: f.timeout,
		Logger:         newLog(p.stderr, "text", slog.LevelWarn),
		OnState:        onState,
		// A token is good for one connection only.
		Reconnect: client.Reconnect{Disabled: given != nil},
	}
	c := &connection{}
	source := func(context.Context) (client.Token, error) { return *given, nil }
	if given == nil {
		c.mint = &token.Mint{Dir: f.tokenDir, Spec: token.Spec{
			Kind: token.User, UserName: "strowger", Services: services,
			Permissions: f.permissions, DomainName: f.domainName, DomainUUID: f.domainUUID,
			ClaimWithin: max(time.Minute, f.timeout),
		}}
		source = c.freshToken
	}
	if c.Client, err = client.Dial(ctx, f.url, source, opts); err != nil {
		c.mint.Close()
		return nil, refusal(c.unbelieved(unreached(f.url, err)))
	}
	return c, nil
}

// unreached adds to an error of connecting what a user can look at.
func unreached(address string, err error) error {
	var unknown *net.DNSError
	var plain tls.RecordHeaderError
	var answer *client.StatusError
	switch {
	case errors.As(err, &plain):
		return fmt.Errorf("%w; is there TLS at %s? Without it the address begins with ws://", err, address)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, errno.Reset):
		return fmt.Errorf("%w; with TLS the address begins with wss://", err)
	case errors.As(err, &answer) && answer.Service == "" && answer.Code != http.StatusForbidden && answer.Code < http.StatusInternalServerError:
		return fmt.Errorf("%w; is %s where strowger serve listens, and not its admin pages? --url names another address", err, address)
	case errors.Is(err, errno.Refused):
		return fmt.Errorf("%w; does strowger serve run, and does it listen at %s? --url names another address", err, address)
	case errors.As(err, &unknown), errors.Is(err, client.ErrTimeout):
		return fmt.Errorf("%w; is %s where strowger serve listens? --url names another address", err, address)
	}
	return err
}

// freshToken makes the token of the next connection.
func (c *connection) freshToken(context.Context) (client.Token, error) {
	t, err := c.mint.Make()
	if err != nil {
		return client.Token{}, err
	}
	return client.Token{Name: t.Name, Hash: t.Hash}, nil
}

// unbelieved adds to a refused token what is most likely wrong with it: the router never tells.
func (c *connection) unbelieved(err error) error {
	switch {
	case c.mint != nil && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; --token-dir must be where the router looks for tokens, which its log says at the start", err)
	case !errors.Is(err, client.ErrUnauthorized):
		return err
	case c.mint == nil:
		return fmt.Errorf("%w; a token is good for one connection, and the router's log says what is wrong", err)
	case os.Geteuid() == 0:
		return fmt.Errorf("%w; --token-dir must be where the router looks, a router that does not run as root cannot read what root makes (sudo -u USER), and its log says what is wrong", err)
	default:
		return fmt.Errorf("%w; --token-dir must be where the router looks, and its log says what is wrong", err)
	}
}

// close closes the client and takes a token away that was not used.
func (c *connection) close() error {
	err := c.Client.Close()
	c.mint.Close()
	return err
}

// givenToken returns the token of the flags or of the environment, nil when there is none.
func (p *program) givenToken(f *connectionFlags) (*client.Token, error) {
	if f.tokenName != "" || f.tokenHash != "" {
		return &client.Token{Name: f.tokenName, Hash: f.tokenHash}, nil
	}
	for _, entry := range p.environ {
		value, ok := strings.CutPrefix(entry, tokenVariable+"=")
		if !ok || value == "" {
			continue
		}
		name, hash, ok := strings.Cut(value, ":")
		if !ok || name == "" || hash == "" {
			return nil, usage("%s: want NAME:HASH", tokenVariable)
		}
		return &client.Token{Name: name, Hash: hash}, nil
	}
	return nil, nil
}

// refusal gives an answer of 400 and above its own exit status.
func refusal(err error) error {
	var status *client.StatusError
	if errors.As(err, &status) {
		switch {
		case status.Service == "":
		case status.Code == http.StatusForbidden:
			err = fmt.Errorf("%w; its policy or the service itself refuses, see docs/policies.md", err)
		case status.Code == http.StatusServiceUnavailable:
			err = fmt.Errorf("%w; the service ended before it answered, is down or has no room for more", err)
		}
		return &exit{exitRefused, err}
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run as the daemon's user or name a token", err)
	}
	return err
}

// untilInterrupted returns a context that ends with SIGINT or SIGTERM, with errInterrupted as its
// cause. The caller must call stop.
func (p *program) untilInterrupted() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	ignore := p.notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		ignore()
		cancel(nil)
		<-ended
	}
}
