package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// connectionRow is what the console says of a connection.
type connectionRow struct {
	ID            string `json:"id"`
	Number        uint64 `json:"number"`
	Role          string `json:"role"`
	User          string `json:"user"`
	Domain        string `json:"domain"`
	Name          string `json:"name"`
	Remote        string `json:"remote"`
	AgeMS         int64  `json:"age_ms"`
	IdleMS        int64  `json:"idle_ms"`
	Subscriptions int    `json:"subscriptions"`
	QueuedBytes   int64  `json:"queued_bytes"`
	InBytes       int64  `json:"in_bytes"`
	OutBytes      int64  `json:"out_bytes"`
}

// who names the peer of a connection.
func (c *connectionRow) who() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.User != "" && c.Domain != "":
		return c.User + "@" + c.Domain
	case c.User != "":
		return c.User
	case c.Domain != "":
		return "@" + c.Domain
	}
	return "-"
}

func (p *program) connectionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connections",
		Short: "List who is connected, and close a connection",
		Long: `Connections prints who is connected to the running daemon, one page of at most 200
rows. With --json it prints the page as one line of JSON.
`,
		Example: `  strowger connections --search example.com
  strowger connections --sort queued_bytes --descending --limit 10
  strowger connections disconnect 4711`,
	}
	var query struct {
		Search     string `json:"search"`
		Role       string `json:"role"`
		Service    string `json:"service"`
		Sort       string `json:"sort"`
		Descending bool   `json:"descending"`
		Offset     int    `json:"offset"`
		Limit      int    `json:"limit"`
	}
	flags := cmd.Flags()
	flags.StringVar(&query.Search, "search", "", "only those with `TEXT` in id, user, domain, name, class or address")
	flags.StringVar(&query.Role, "role", "", "only those of a `ROLE`: client, service or unauthenticated")
	flags.StringVar(&query.Service, "service", "", "only those that watch or offer the service `NAME`")
	flags.StringVar(&query.Sort, "sort", "since", "by `KEY`: since, queued_bytes, queued, in_bytes, out_bytes, idle, user, domain, remote, subscriptions, name")
	flags.BoolVar(&query.Descending, "descending", false, "the largest first")
	flags.IntVar(&query.Offset, "offset", 0, "leave the first `N` out")
	flags.IntVar(&query.Limit, "limit", 50, "at most `N` rows, 200 at most")
	disconnect := p.disconnectCommand()
	own(cmd, disconnect)
	return p.asks(cmd, func(ctx context.Context, c *console, asJSON bool) error {
		answer, err := c.ask(ctx, "connections", query)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(p.stdout, answer)
		}
		return printConnections(p.stdout, answer)
	})
}

// alone is the annotation of a command that does something without a command below it.
const alone = "alone"

// own gives a command that does something by itself commands below it.
func own(cmd *cobra.Command, others ...*cobra.Command) {
	names := make([]string, len(others))
	for i, other := range others {
		names[i] = other.Name()
	}
	choose(cmd, names)
	cmd.Annotations[alone] = "true"
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	cmd.AddCommand(others...)
}

func printConnections(out io.Writer, answer json.RawMessage) error {
	var table struct {
		Total   int             `json:"total"`
		Matched int             `json:"matched"`
		Offset  int             `json:"offset"`
		Rows    []connectionRow `json:"rows"`
	}
	if err := json.Unmarshal(answer, &table); err != nil {
		return fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tROLE\tWHO\tREMOTE\tAGE\tIDLE\tSUBSCRIPTIONS\tQUEUED\tIN\tOUT\tID")
	for i := range table.Rows {
		r := &table.Rows[i]
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", r.Number, r.Role, plainText(r.who(), 40), r.Remote,
			ageText(time.Duration(r.AgeMS)*time.Millisecond), ageText(time.Duration(r.IdleMS)*time.Millisecond), r.Subscriptions,
			bytesText(r.QueuedBytes), bytesText(r.InBytes), bytesText(r.OutBytes), r.ID)
	}
	fmt.Fprintf(w, "%d to %d of %d, %s in all\n", min(table.Offset+1, table.Matched), table.Offset+len(table.Rows), table.Matched, plural(table.Total, "connection"))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (p *program) disconnectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "disconnect NUMBER",
		Short: "Close a connection",
		Long: `Disconnect closes the connection with that number, or with that ID, as strowger
connections shows them. Its peer gets 1001 and may come back.
` + consoleHelp,
		Example: `  strowger connections disconnect 4711`,
		Args:    namedArguments("", "NUMBER"),
	}
	f := addConsoleFlags(cmd.Flags())
	cmd.RunE = verb(func(args []string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		const idLength = 32
		if len(args[0]) == idLength {
			return p.printAnswer(f, "connection.disconnect", map[string]string{"id": args[0]})
		}
		number, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil || number == 0 {
			return usage("NUMBER: %q is neither a number from 1 on nor an ID", args[0])
		}
		return p.printAnswer(f, "connection.disconnect", map[string]uint64{"number": number})
	})
	return cmd
}
