package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/config"
	"strowger/system"
	"strowger/system/fusionpbx/database"
)

func (p *program) upgradeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Have a new process take over from the running router, with all connections",
		Long: `Upgrade has the running router start a new process of the program and hand everything over
to it: the listening sockets and all connections without TLS, with what is on its way. Then the
old process ends. No client notices but by a short pause, which upgrade prints.

If the new process cannot start, finds its settings wrong, hangs or crashes before it has taken
over, the running one goes on as if nothing had happened, and upgrade says why and ends with status 3.

It asks the router at its admin pages, on this machine. Their address is that of --admin, or
else admin.address of the settings; give it the flags of serve that name files. SIGUSR2 does
the same; the log says what became of it.`,
		Example: `  strowger upgrade
  strowger upgrade --config /etc/strowger/strowger.yaml
  strowger upgrade --admin 127.0.0.1:9001 --json`,
		Args: noArguments,
	}
	askRunning(cmd, 2*time.Minute, p.upgrade)
	return cmd
}

func (p *program) upgrade(flags *pflag.FlagSet, asJSON bool, timeout time.Duration) error {
	site := p.newSite()
	// The router asks the database. Here only the address counts.
	site.read = func(context.Context, database.Options) ([]config.Setting, error) { return nil, nil }
	cfg, err := p.loadConfig(flags, site)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	u, err := requestUpgrade(ctx, &cfg.Admin)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(p.stdout, u)
	}
	if _, err := io.WriteString(p.stdout, describeUpgrade(u)); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func describeUpgrade(u *system.Upgraded) string {
	text := fmt.Sprintf("process %d, version %s, has taken over %s\n", u.PID, u.Version, plural(u.Connections, "connection"))
	if u.Connections > 0 {
		text += fmt.Sprintf("pause: half of them up to %v, 99%% up to %v, all up to %v\n", u.P50.Round(time.Microsecond), u.P99.Round(time.Microsecond), u.Max.Round(time.Microsecond))
	}
	if u.Closed > 0 {
		text += fmt.Sprintf("%d connections could not be handed over and are closed with 1001\n", u.Closed)
	}
	return text
}

// requestUpgrade has the router with these admin pages upgraded.
func requestUpgrade(ctx context.Context, admin *config.Admin) (*system.Upgraded, error) {
	if admin.Address == "" {
		return nil, errors.New("admin.address is empty: the admin pages are off; send the router's process SIGUSR2")
	}
	at, err := adminpages.Of(admin)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL("/upgrade"), nil)
	if err != nil {
		return nil, err
	}
	response, err := at.Client().Do(request)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("ask the router: %w; does strowger serve run, with its admin pages at %s? --admin names another address", err, admin.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask the router: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		u := new(system.Upgraded)
		if err := json.Unmarshal(body, u); err != nil || u.PID == 0 {
			return nil, fmt.Errorf("who answers at %s is no strowger that can be upgraded", at.Host)
		}
		return u, nil
	case http.StatusConflict:
		return nil, &exit{exitRefused, errors.New(strings.TrimSpace(string(body)))}
	}
	return nil, fmt.Errorf("ask the router: %s: %s", response.Status, strings.TrimSpace(string(body)))
}
