package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"strowger/bench/report"
)

// rereport writes tables anew from results that are there; of several, later ones replace what
// earlier ones have.
func rereport(args []string) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	out := flags.String("out", "results", "`DIR` for results.json and results.md")
	page := flags.String("page", "", "fill this Markdown `FILE` too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("report: which results?")
	}
	var all *report.Result
	for _, path := range flags.Args() {
		result, err := report.Read(path)
		if err != nil {
			return err
		}
		if all == nil {
			all = result
			continue
		}
		all.Merge(result)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := save(all, *out); err != nil || *page == "" {
		return err
	}
	return all.Page(*page, targets())
}
