package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// letterRow is what the console says of a dead letter.
type letterRow struct {
	Number       uint64    `json:"number"`
	At           time.Time `json:"at"`
	Reason       string    `json:"reason"`
	Kind         string    `json:"kind"`
	Service      string    `json:"service"`
	Topic        string    `json:"topic"`
	Actor        string    `json:"actor"`
	PayloadBytes int       `json:"payload_bytes"`
	Replayable   bool      `json:"replayable"`
	Why          string    `json:"why"`
}

func (p *program) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletters",
		Short: "List messages that nobody took, show one, and ask again",
		Long: `Deadletters prints the latest messages that nobody took, and those at which an actor or
a service crashed, the latest first (docs/console.md). With --json it prints one page as
one line of JSON.
`,
		Example: `  strowger deadletters --reason unknown_service
  strowger deadletters show 7
  strowger deadletters replay 7 --yes`,
	}
	var query struct {
		Reason  string `json:"reason"`
		Service string `json:"service"`
		Offset  int    `json:"offset"`
		Limit   int    `json:"limit"`
	}
	flags := cmd.Flags()
	flags.StringVar(&query.Reason, "reason", "", "only those of a `REASON`, such as unknown_service")
	flags.StringVar(&query.Service, "service", "", "only those for the service `NAME`")
	flags.IntVar(&query.Offset, "offset", 0, "leave the first `N` out")
	flags.IntVar(&query.Limit, "limit", 50, "at most `N` rows, 200 at most")
	own(cmd, p.showLetterCommand(), p.replayCommand())
	return p.asks(cmd, func(ctx context.Context, c *console, asJSON bool) error {
		answer, err := c.ask(ctx, "deadletters", query)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(p.stdout, answer)
		}
		return printLetters(p.stdout, answer)
	})
}

func printLetters(out io.Writer, answer json.RawMessage) error {
	var table struct {
		Total   uint64      `json:"total"`
		Kept    int         `json:"kept"`
		Matched int         `json:"matched"`
		Rows    []letterRow `json:"rows"`
	}
	if err := json.Unmarshal(answer, &table); err != nil {
		return fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tAT\tREASON\tKIND\tSERVICE\tTOPIC\tBYTES\tREPLAY")
	for i := range table.Rows {
		r := &table.Rows[i]
		replay := "yes"
		if !r.Replayable {
			replay = "no: " + r.Why
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.Number, r.At.Format(time.RFC3339), r.Reason, r.Kind,
			plainText(r.Service, 40), plainText(r.Topic, 40), r.PayloadBytes, replay)
	}
	fmt.Fprintf(w, "%d of %d that fit; %d kept of %d since the start\n", len(table.Rows), table.Matched, table.Kept, table.Total)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// letterNumber reads the number of a dead letter.
func letterNumber(text string) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || number == 0 {
		return 0, usage("NUMBER: %q is no number from 1 on", text)
	}
	return number, nil
}

func (p *program) showLetterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Print all that is kept of a dead letter",
		Long: `Show prints one dead letter as one line of JSON, with the stack of a crash, and with its
payload if admin.payloads is set.
` + consoleHelp,
		Example: `  strowger deadletters show 7`,
		Args:    namedArguments("", "NUMBER"),
	}
	f := addConsoleFlags(cmd.Flags())
	cmd.RunE = verb(func(args []string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		number, err := letterNumber(args[0])
		if err != nil {
			return err
		}
		return p.printAnswer(f, "deadletter", map[string]uint64{"number": number})
	})
	return cmd
}

func (p *program) replayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay NUMBER",
		Short: "Ask a service once more what became a dead letter",
		Long: `Replay asks the service again, with the permissions of who asked, and prints the answer
as one line of JSON. The service may do again what it has done before, so on a terminal
replay asks first, and elsewhere it wants --yes. A dead letter can be replayed once, and
only with admin.payloads.
` + consoleHelp,
		Example: `  strowger deadletters replay 7
  strowger deadletters replay 7 --yes`,
		Args: namedArguments("", "NUMBER"),
	}
	f := addConsoleFlags(cmd.Flags())
	yes := cmd.Flags().Bool("yes", false, "do not ask first")
	cmd.RunE = verb(func(args []string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return err
		}
		number, err := letterNumber(args[0])
		if err != nil {
			return err
		}
		if !*yes {
			if err := p.confirm(fmt.Sprintf("Ask once more what dead letter %d has asked? [y/N] ", number)); err != nil {
				return err
			}
		}
		return p.printAnswer(f, "deadletter.replay", map[string]uint64{"number": number, "confirm": number})
	})
	return cmd
}

// confirm asks whoever sits at the terminal. The error says that he does not want it, or that nobody does.
func (p *program) confirm(question string) error {
	file, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return usage("nobody can be asked on a terminal: write --yes")
	}
	fmt.Fprint(p.stderr, question)
	answer := make([]byte, 16)
	n, err := file.Read(answer)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(string(answer[:n]))) {
	case "y", "yes":
		return nil
	}
	return &exit{status: exitError}
}
