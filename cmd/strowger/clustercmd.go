package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// clusterState is what the console says of the cluster.
type clusterState struct {
	Clustered bool   `json:"clustered"`
	Name      string `json:"name"`
	Node      string `json:"node"`
	Bus       struct {
		Connected bool      `json:"connected"`
		Since     time.Time `json:"since"`
		Server    string    `json:"server"`
		Listen    string    `json:"listen"`
		Routes    int       `json:"routes"`
		Reason    string    `json:"reason"`
	} `json:"bus"`
	Nodes []clusterNode `json:"nodes"`
}

type clusterNode struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Protocol    int    `json:"protocol"`
	State       string `json:"state"`
	Reason      string `json:"reason"`
	HeartbeatMS int64  `json:"heartbeat_ms"`
	Services    []struct {
		Name      string `json:"name"`
		Instances int    `json:"instances"`
	} `json:"services"`
	Singletons []struct {
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"singletons"`
	QueuedBytes    int64  `json:"queued_bytes"`
	Unacknowledged uint64 `json:"unacknowledged"`
	Resets         uint64 `json:"resets"`
}

// clusterHello is what the daemon says of its place in a cluster; nil if it is alone.
type clusterHello struct {
	Name   string `json:"name"`
	Node   string `json:"node"`
	Nodes  int    `json:"nodes"`
	Linked int    `json:"linked"`
	Notes  []struct {
		Reason string `json:"reason"`
	} `json:"notes"`
}

// line returns it as a line without an end.
func (c *clusterHello) line() string {
	text := fmt.Sprintf("node %s of cluster %s, %d of %d other nodes linked", plainText(c.Node, 40), plainText(c.Name, 40), c.Linked, c.Nodes)
	for _, note := range c.Notes {
		text += "; " + plainText(note.Reason, 200)
	}
	return text
}

func (p *program) clusterCommand() *cobra.Command {
	return p.asks(&cobra.Command{
		Use:   "cluster",
		Short: "Show the nodes of the running daemon's cluster",
		Long: `Cluster prints the bus of the running daemon, and the nodes that it knows: their version,
whether they are linked, how long ago they were heard, what waits for them and what they
offer (docs/cluster.md). With --json it prints all of it as one line of JSON. The exit
status is 1 if the bus is away or a node is not linked.
`,
		Example: `  strowger cluster
  strowger cluster --json`,
		Args: noArguments,
	}, p.cluster)
}

func (p *program) cluster(ctx context.Context, c *console, asJSON bool) error {
	answer, err := c.ask(ctx, "cluster", nil)
	if err != nil {
		return err
	}
	var state clusterState
	if err := json.Unmarshal(answer, &state); err != nil {
		return fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	if asJSON {
		err = printJSON(p.stdout, answer)
	} else {
		err = state.print(p.stdout)
	}
	if err == nil && !state.whole() {
		return &exit{status: exitError}
	}
	return err
}

// whole tells whether all is as it should be.
func (s *clusterState) whole() bool {
	for i := range s.Nodes {
		if state := s.Nodes[i].State; state != "self" && state != "linked" {
			return false
		}
	}
	return !s.Clustered || s.Bus.Connected && s.Bus.Reason == ""
}

func (s *clusterState) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if !s.Clustered {
		fmt.Fprintln(w, "The router is alone: neither cluster.listen nor cluster.nats is set.")
		return flush(w)
	}
	fmt.Fprintf(w, "node %s of cluster %s\n", plainText(s.Node, 64), plainText(s.Name, 64))
	fmt.Fprintln(w, s.bus())
	fmt.Fprintln(w, "\nNODE\tSTATE\tVERSION\tHEARD\tQUEUED\tLAG\tRESETS\tSERVICES")
	for i := range s.Nodes {
		fmt.Fprintln(w, s.Nodes[i].line())
	}
	s.printSingletons(w)
	return flush(w)
}

func flush(w *tabwriter.Writer) error {
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// printSingletons prints which node has each singleton, and which ones would run it.
func (s *clusterState) printSingletons(w io.Writer) {
	has, stands := map[string][]string{}, map[string][]string{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		node := plainText(n.Name, 40)
		for _, one := range n.Singletons {
			switch one.State {
			case "stands":
				stands[one.Name] = append(stands[one.Name], node)
			case "ails":
				has[one.Name] = append(has[one.Name], node+" (does not work)")
			default:
				has[one.Name] = append(has[one.Name], node)
			}
		}
	}
	names := map[string]bool{}
	for _, of := range []map[string][]string{has, stands} {
		for name := range of {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSINGLETON\tRUNS ON\tSTANDS BY")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", plainText(name, 40), listOrDash(has[name]), listOrDash(stands[name]))
	}
}

func listOrDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

func (s *clusterState) bus() string {
	b := &s.Bus
	state := "away"
	if b.Connected {
		state = "connected"
	}
	text := "bus: " + state
	if !b.Since.IsZero() {
		text += " since " + b.Since.Format(time.RFC3339)
	}
	if b.Listen != "" {
		text += fmt.Sprintf(", NATS inside takes nodes at %s, %d routes", plainText(b.Listen, 64), b.Routes)
	} else if b.Server != "" {
		text += ", " + plainText(b.Server, 128)
	}
	if b.Reason != "" {
		text += ": " + plainText(b.Reason, 200)
	}
	return text
}

func (n *clusterNode) line() string {
	heard, queued, lag := "-", "-", "-"
	if n.State != "self" {
		heard, queued, lag = (time.Duration(n.HeartbeatMS) * time.Millisecond).String(), bytesText(n.QueuedBytes), strconv.FormatUint(n.Unacknowledged, 10)
	}
	state := n.State
	if n.Reason != "" {
		state += ": " + plainText(n.Reason, 100)
	}
	var services []string
	for _, s := range n.Services {
		services = append(services, fmt.Sprintf("%s %d", plainText(s.Name, 40), s.Instances))
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s", plainText(n.Name, 40), state, plainText(n.Version, 30), heard, queued, lag, n.Resets, strings.Join(services, ", "))
}
