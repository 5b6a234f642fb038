package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// daemonStatus is what the console says of the daemon.
type daemonStatus struct {
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Host     string    `json:"host"`
	Started  time.Time `json:"started"`
	Now      time.Time `json:"now"`
	Address  string    `json:"address"`
	Ready    bool      `json:"ready"`
	Problems []struct {
		Part   string `json:"part"`
		Reason string `json:"reason"`
	} `json:"problems"`
	Sample  sample        `json:"sample"`
	Cluster *clusterHello `json:"cluster"`
}

// sample is what happens in a second.
type sample struct {
	Connections  int64   `json:"connections"`
	Clients      int64   `json:"clients"`
	Requests     float64 `json:"requests"`
	Replies      float64 `json:"replies"`
	Broadcasts   float64 `json:"broadcasts"`
	DeadLetters  float64 `json:"dead_letters"`
	WaitingBytes int64   `json:"waiting_bytes"`
	CPU          float64 `json:"cpu"`
	HeapBytes    int64   `json:"heap_bytes"`
}

// serviceRow is what the console says of a service.
type serviceRow struct {
	Name         string  `json:"name"`
	Inside       bool    `json:"inside"`
	State        string  `json:"state"`
	Instances    []any   `json:"instances"`
	Restarts     uint64  `json:"restarts"`
	Breaker      string  `json:"breaker"`
	RetryAfterMS int64   `json:"retry_after_ms"`
	Open         int     `json:"open"`
	Requests     int64   `json:"requests"`
	Rate         float64 `json:"rate"`
	Failures     int64   `json:"failures"`
	Abandoned    int     `json:"abandoned"`
}

func (p *program) statusCommand() *cobra.Command {
	return p.asks(&cobra.Command{
		Use:   "status",
		Short: "Tell how the running daemon is",
		Long: `Status prints what the running daemon does: whether it is ready and what is missing,
connections, rates over half a second, and the services. With --json it prints one line
of JSON with status and services. The exit status is 1 if the daemon is not ready.
`,
		Example: `  strowger status
  strowger status --json`,
		Args: noArguments,
	}, p.status)
}

func (p *program) status(ctx context.Context, c *console, asJSON bool) error {
	state, err := c.ask(ctx, "status", nil)
	if err != nil {
		return err
	}
	services, err := c.ask(ctx, "services", map[string]any{"limit": 200})
	if err != nil {
		return err
	}
	var daemon daemonStatus
	var table struct {
		Matched int          `json:"matched"`
		Rows    []serviceRow `json:"rows"`
	}
	if err := errors.Join(json.Unmarshal(state, &daemon), json.Unmarshal(services, &table)); err != nil {
		return fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	if asJSON {
		err = printJSON(p.stdout, map[string]json.RawMessage{"status": state, "services": services})
	} else {
		err = daemon.print(p.stdout, table.Rows, table.Matched-len(table.Rows))
	}
	if err == nil && !daemon.Ready {
		return &exit{status: exitError}
	}
	return err
}

func (d *daemonStatus) print(out io.Writer, services []serviceRow, omitted int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "strowger %s, pid %d on %s, %s, up %s\n", d.Version, d.PID, d.Host, d.Address, ageText(d.Now.Sub(d.Started)))
	if d.Ready {
		fmt.Fprintln(w, "ready")
	}
	for _, problem := range d.Problems {
		fmt.Fprintf(w, "not ready: %s %s\n", problem.Part, problem.Reason)
	}
	if d.Cluster != nil {
		fmt.Fprintln(w, d.Cluster.line())
	}
	s := &d.Sample
	fmt.Fprintf(w, "%s (%s), %.0f requests/s, %.0f broadcasts/s, %s waiting, %.1f%% CPU, %s heap\n\n",
		plural(s.Connections, "connection"), plural(s.Clients, "client"), s.Requests, s.Broadcasts, bytesText(s.WaitingBytes), s.CPU, bytesText(s.HeapBytes))
	fmt.Fprintln(w, "SERVICE\tSTATE\tINSTANCES\tRESTARTS\tBREAKER\tOPEN\tREQUESTS\tFAILURES")
	for i := range services {
		fmt.Fprintln(w, services[i].line())
	}
	if omitted > 0 {
		fmt.Fprintf(w, "and %d more\n", omitted)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (s *serviceRow) line() string {
	breaker, state := s.Breaker, s.State
	if breaker == "" {
		breaker = "-"
	}
	if s.RetryAfterMS > 0 {
		state += " for " + (time.Duration(s.RetryAfterMS) * time.Millisecond).Round(time.Second).String()
	}
	if s.Abandoned > 0 {
		state += fmt.Sprintf(", %d goroutines hang", s.Abandoned)
	}
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%s\t%d\t%d\t%d", plainText(s.Name, 40), state, len(s.Instances), s.Restarts, breaker, s.Open, s.Requests, s.Failures)
}
