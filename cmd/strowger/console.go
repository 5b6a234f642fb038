package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/client"
	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/errno"
	"strowger/config"
)

const (
	// passwordVariable holds the console's password. It is no key of the configuration.
	passwordVariable = "STROWGER_ADMIN_PASSWORD"
	// consoleName is the service of the console.
	consoleName = "strowger.console"
)

const consoleHelp = `
It asks the daemon over its admin port, see --admin, and needs the console there
(admin.console). From this machine it needs no password, unless admin.trust_loopback is
false; otherwise the password is in the environment variable ` + passwordVariable + `,
or --admin-certificate and --admin-key name a certificate that admin.client_ca knows.
`

// consoleFlags say where the console is.
type consoleFlags struct {
	admin   string
	files   adminpages.Files
	timeout time.Duration
	at      *adminpages.Place // set by check
}

func addConsoleFlags(flags *pflag.FlagSet) *consoleFlags {
	f := new(consoleFlags)
	flags.StringVar(&f.admin, "admin", "", "`HOST:PORT` of the daemon's admin port, or https://HOST:PORT (default 127.0.0.1:8081)")
	addPageFiles(flags, &f.files)
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "longest `TIME` to wait for the daemon")
	return f
}

// addPageFiles adds the flags for admin pages with TLS.
func addPageFiles(flags *pflag.FlagSet, f *adminpages.Files) {
	flags.StringVar(&f.CA, "admin-ca", "", "authorities in the PEM `FILE` vouch for the admin port with https (default: those of the system)")
	flags.StringVar(&f.Certificate, "admin-certificate", "", "show the certificate in the PEM `FILE`")
	flags.StringVar(&f.Key, "admin-key", "", "private key of --admin-certificate in the PEM `FILE`")
}

func (f *consoleFlags) check(flags *pflag.FlagSet) error {
	if err := notEmpty(flags, "admin"); err != nil {
		return err
	}
	if f.timeout <= 0 {
		return usage("--timeout: %v is not a time to wait", f.timeout)
	}
	if f.admin == "" {
		f.admin = config.Default().Admin.Address
	}
	var err error
	if f.at, err = adminpages.At(f.admin, f.files); err != nil {
		return usage("--admin: %v", err)
	}
	return nil
}

// console is a connection to the console of a daemon.
type console struct {
	client *client.Client
	at     string
}

// openConsole connects to the daemon's console.
func (p *program) openConsole(ctx context.Context, f *consoleFlags) (*console, error) {
	tokens := p.consoleToken(f.at)
	// Without a token there is no use in a connection, and what keeps us from one has the clearer words.
	first, err := tokens(ctx)
	if err == nil {
		var c *client.Client
		if c, err = client.Dial(ctx, f.at.Socket("/console/ws"), firstThen(first, tokens), client.Options{TLS: f.at.TLS}); err == nil {
			return &console{c, f.at.String()}, nil
		}
	}
	return nil, notReached(f.at.String(), err)
}

// notReached says in words of the command line why nobody at an address could be asked.
func notReached(at string, err error) error {
	var known *consoleError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errno.Refused):
		return fmt.Errorf("no router answers at %s: does strowger serve run, and is that its admin.address? --admin names another one", at)
	case errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer in time (--timeout)", at)
	}
	return fmt.Errorf("ask the daemon: %w", err)
}

// firstThen returns a source of tokens that has one already.
func firstThen(first client.Token, then client.TokenSource) client.TokenSource {
	used := false
	return func(ctx context.Context) (client.Token, error) {
		if used {
			return then(ctx)
		}
		used = true
		return first, nil
	}
}

func (c *console) close() { _ = c.client.Close() }

// consoleError says in words of the command line why the console lets nobody in.
type consoleError struct{ text string }

// Error returns the text.
func (e *consoleError) Error() string { return e.text }

// password returns what the environment has.
func (p *program) password() string {
	for _, entry := range p.environ {
		if value, ok := strings.CutPrefix(entry, passwordVariable+"="); ok {
			return value
		}
	}
	return ""
}

// largestToken bounds the answer with a token, in bytes.
const largestToken = 64 << 10

// consoleToken returns where connections to the console get their tokens.
func (p *program) consoleToken(at *adminpages.Place) client.TokenSource {
	return func(ctx context.Context) (made client.Token, err error) {
		in, err := json.Marshal(map[string]string{"password": p.password()})
		if err != nil {
			return made, fmt.Errorf("encode password: %w", err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL("/console/token"), bytes.NewReader(in))
		if err != nil {
			return made, fmt.Errorf("ask for a token: %w", err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := at.Client().Do(request)
		if err != nil {
			return made, fmt.Errorf("ask for a token: %w", err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, largestToken))
		if err != nil {
			return made, fmt.Errorf("ask for a token: %w", err)
		}
		if err := p.tokenRefused(at.String(), response.StatusCode, body); err != nil {
			return made, err
		}
		if err := json.Unmarshal(body, &made); err != nil || made.Name == "" {
			return made, &consoleError{fmt.Sprintf("what answers at %s is no strowger", at)}
		}
		return made, nil
	}
}

// tokenRefused says why there is no token, nil if there is one. An error ends all attempts.
func (p *program) tokenRefused(at string, status int, body []byte) error {
	var why struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &why) // what is no JSON has no reason
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &consoleError{fmt.Sprintf("the router at %s has no console: is admin.console false, or its version an older one?", at)}
	case http.StatusBadRequest:
		if why.Error == "" && !strings.HasPrefix(at, "https://") {
			return &consoleError{fmt.Sprintf("%s does not answer over HTTP: if it has admin.tls_certificate, --admin is https://%s", at, at)}
		}
	case http.StatusUnauthorized:
		if p.password() == "" {
			return &consoleError{fmt.Sprintf("%s asks for a password: put it into the environment variable %s", at, passwordVariable)}
		}
		return &consoleError{fmt.Sprintf("%s: the password in %s is wrong", at, passwordVariable)}
	}
	if why.Error == "" {
		why.Error = http.StatusText(status)
	}
	return &consoleError{fmt.Sprintf("%s: %s", at, why.Error)}
}

// ask asks the console and returns the payload of the answer. A refusal has status 3.
func (c *console) ask(ctx context.Context, topic string, payload any) (json.RawMessage, error) {
	reply, err := c.client.Request(ctx, consoleName, topic, payload)
	var refused *client.StatusError
	switch {
	case errors.As(err, &refused):
		var why struct {
			Reason string `json:"reason"`
		}
		_ = json.Unmarshal(refused.Payload, &why) // a refusal may have no reason
		if why.Reason == "" {
			why.Reason = fmt.Sprintf("status %d", refused.Code)
		}
		return nil, &exit{exitRefused, errors.New(why.Reason)}
	case errors.Is(err, client.ErrTimeout):
		return nil, errors.New("the daemon did not answer in time (--timeout)")
	case err != nil:
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	return reply.Payload, nil
}

// inConsole connects, has f ask, and ends the connection.
func (p *program) inConsole(f *consoleFlags, do func(ctx context.Context, c *console) error) error {
	interrupted, stop := p.untilInterrupted()
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, f.timeout)
	defer cancel()
	c, err := p.openConsole(ctx, f)
	if err != nil {
		return err
	}
	defer c.close()
	return do(ctx, c)
}

// asks completes a verb that asks the console and has the flag --json. The caller adds the verb's other flags.
func (p *program) asks(cmd *cobra.Command, do func(ctx context.Context, c *console, asJSON bool) error) *cobra.Command {
	cmd.Long += consoleHelp
	f := addConsoleFlags(cmd.Flags())
	asJSON := cmd.Flags().Bool("json", false, "print it as JSON")
	cmd.RunE = verb(func([]string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		return p.inConsole(f, func(ctx context.Context, c *console) error { return do(ctx, c, *asJSON) })
	})
	return cmd
}

// printAnswer asks and prints the answer as one line of JSON.
func (p *program) printAnswer(f *consoleFlags, topic string, payload any) error {
	return p.inConsole(f, func(ctx context.Context, c *console) error {
		answer, err := c.ask(ctx, topic, payload)
		if err != nil {
			return err
		}
		return printJSON(p.stdout, answer)
	})
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	const unit = 1024
	value, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for len(units) > 1 && value >= unit {
		value, units = value/unit, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}

// ageText writes how long something has lasted, in its two largest units.
func ageText(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return d.String()
}

// plainText makes a text from a peer safe for a terminal, and no longer than so many characters.
func plainText(text string, most int) string {
	kept := make([]rune, 0, most)
	for _, r := range text {
		if len(kept) == most {
			kept[most-1] = '…'
			break
		}
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || r == 0x202e || r == 0x2028 || r == 0x2029 {
			r = '?'
		}
		kept = append(kept, r)
	}
	return string(kept)
}
