package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/errno"
	"strowger/config"
	"strowger/system"
	"strowger/system/fusionpbx/database"
	"strowger/transport"
)

// mainVariable has the process of the unit, for the commands of ExecReload=.
const mainVariable = "MAINPID"

const notAsked = "the router was not asked, and goes on with the settings that it has"

// largestAnswer bounds what is read of an answer of the admin pages, in bytes.
const largestAnswer = 16 << 20

func (p *program) reloadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the running router read its settings again, and say what became of it",
		Long: `Reload has the running router read its settings and its TLS certificate again, and prints
what has changed: what is in effect, and what waits for a restart. All connections stay.
If anything is wrong, the router keeps the settings that it has, and reload prints what is
wrong and ends with status 3.

It asks the router at its admin pages, on this machine. Their address is that of --admin, or
else admin.address of the settings; give it the flags of serve that name files. If those
cannot be read, the router is not asked.

In ExecReload= of a unit, $MAINPID is the router's process. Reload then takes no answer of
another router. If the admin pages are off, refuse the connection or belong to another
process, it sends the router's process a SIGHUP, and the log says what became of it.`,
		Example: `  strowger reload
  strowger reload --config /etc/strowger/strowger.yaml
  strowger reload --admin 127.0.0.1:9001 --json`,
		Args: noArguments,
	}
	askRunning(cmd, 30*time.Second, p.reload)
	return cmd
}

// askRunning adds the flags of a verb that asks the running router at its admin pages, and has it call ask. Patience is the
// default of --timeout.
func askRunning(cmd *cobra.Command, patience time.Duration, ask func(flags *pflag.FlagSet, asJSON bool, timeout time.Duration) error) {
	flags := cmd.Flags()
	sources(flags)
	flags.String("admin", "", "ask the router's admin pages at `HOST:PORT`")
	asJSON := flags.Bool("json", false, "print the answer as JSON")
	timeout := flags.Duration("timeout", patience, "longest `TIME` to wait for the answer")
	cmd.RunE = verb(func([]string) error {
		if *timeout <= 0 {
			return usage("--timeout: %v is not a time to wait", *timeout)
		}
		if err := notEmpty(flags, "admin"); err != nil {
			return err
		}
		return ask(flags, *asJSON, *timeout)
	})
}

func (p *program) reload(flags *pflag.FlagSet, asJSON bool, timeout time.Duration) error {
	site := p.newSite()
	// The router asks the database. Here only the address counts.
	site.read = func(context.Context, database.Options) ([]config.Setting, error) { return nil, nil }
	cfg, err := p.loadConfig(flags, site)
	var wrong *exit
	switch {
	case errors.As(err, &wrong):
		return err
	case err != nil:
		return fmt.Errorf("%w\n%s", err, notAsked)
	}
	pid := p.mainProcess()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer, err := askReload(ctx, &cfg.Admin, pid)
	if nobody, ok := errors.AsType[*noAnswer](err); ok && pid != 0 {
		return p.hangUp(cfg, pid, nobody)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(p.stdout, answer)
	}
	return p.printReloaded(answer)
}

// mainProcess returns the process that systemd says is the router; 0 if it says nothing.
func (p *program) mainProcess() int {
	for _, entry := range p.environ {
		if text, ok := strings.CutPrefix(entry, mainVariable+"="); ok {
			pid, _ := strconv.Atoi(text) // systemd writes a number
			return max(pid, 0)
		}
	}
	return 0
}

// noAnswer says why the router could not be asked.
type noAnswer struct{ err error }

// Error returns why.
func (e *noAnswer) Error() string { return e.err.Error() }

// Unwrap returns why.
func (e *noAnswer) Unwrap() error { return e.err }

// hangUp sends the router a SIGHUP, because why keeps it from being asked.
func (p *program) hangUp(cfg *config.Config, pid int, why *noAnswer) error {
	if l := &cfg.Listen; l.TLSCertificate != "" {
		if _, err := transport.LoadCertificate(l.TLSCertificate, l.TLSKey); err != nil {
			return fmt.Errorf("listen.tls_certificate, listen.tls_key: %w\n%s", err, notAsked)
		}
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return fmt.Errorf("%w\nSIGHUP to process %d: %w", why, pid, err)
	}
	fmt.Fprintf(p.stderr, "strowger: %v\nstrowger: process %d was sent SIGHUP; its log says what became of the settings\n", why, pid)
	return nil
}

// askReload has the router with these admin pages read its settings again. pid, unless 0, is the process that it must be.
func askReload(ctx context.Context, admin *config.Admin, pid int) (*system.Reloaded, error) {
	if admin.Address == "" {
		return nil, &noAnswer{errors.New("admin.address is empty: the admin pages are off, and nobody can be asked")}
	}
	at, err := adminpages.Of(admin)
	if err != nil {
		return nil, &noAnswer{err}
	}
	query := url.Values{}
	if pid != 0 {
		query.Set("pid", strconv.Itoa(pid))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL("/reload?"+query.Encode()), nil)
	if err != nil {
		return nil, err
	}
	response, err := at.Client().Do(request)
	if errors.Is(err, errno.Refused) {
		return nil, &noAnswer{fmt.Errorf("ask the router: %w; does strowger serve run, with its admin pages at %s? --admin names another address", err, admin.Address)}
	}
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	return readReloaded(response, body)
}

// readReloaded reads the router's answer.
func readReloaded(response *http.Response, body []byte) (*system.Reloaded, error) {
	var said struct {
		Error    string
		Problems []string
	}
	switch response.StatusCode {
	case http.StatusOK:
		answer := new(system.Reloaded)
		if err := json.Unmarshal(body, answer); err == nil && answer.Applied != nil {
			return answer, nil
		}
		return nil, &noAnswer{fmt.Errorf("who answers at %s is no strowger that can reload", response.Request.URL.Host)}
	case http.StatusUnprocessableEntity:
		if err := json.Unmarshal(body, &said); err == nil && said.Error != "" {
			return nil, &exit{exitRefused, errors.New(strings.Join(append(said.Problems, said.Error), "\n"))}
		}
	case http.StatusServiceUnavailable:
		return nil, fmt.Errorf("ask the router: %s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil, &noAnswer{fmt.Errorf("ask the router: %s: %s", response.Status, strings.TrimSpace(string(body)))}
}

// printReloaded writes a line for each change.
func (p *program) printReloaded(r *system.Reloaded) error {
	var text strings.Builder
	for _, w := range r.Warnings {
		fmt.Fprintf(&text, "warning: %s\n", w)
	}
	for _, change := range r.Applied {
		fmt.Fprintf(&text, "in effect: %s\n", describeChange(change))
	}
	if c := r.Certificate; c != nil {
		fmt.Fprintf(&text, "in effect: the certificate of %s is %s, was %s\n", c.File, c.New, c.Old)
	}
	for _, change := range r.Restart {
		fmt.Fprintf(&text, "needs a restart: %s\n", describeChange(change))
	}
	if len(r.Changes()) == 0 && r.Certificate == nil {
		text.WriteString("nothing has changed\n")
	}
	if _, err := io.WriteString(p.stdout, text.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// describeChange returns a change on one line.
func describeChange(c config.Change) string {
	given := func(value string) string {
		if value == "" {
			return "nothing"
		}
		return value
	}
	if c.Old == c.New {
		return c.Key + " is another one, and does not show" // a password
	}
	return fmt.Sprintf("%s is %s, was %s", c.Key, given(c.New), given(c.Old))
}
