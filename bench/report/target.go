package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"strowger/bench/workload"
)

// Target is a bound for strowger's figure as a share of another server's in the same run.
type Target struct {
	// Title is what the target is about.
	Title string
	// Workload, Metric and Server say what is compared.
	Workload string
	Metric   workload.Metric
	Server   string
	// Bound is what the ratio may be at most; or at least, if AtLeast.
	Bound   float64
	AtLeast bool
}

// Verdict is a target held against a result.
type Verdict struct {
	Target
	// Ours and Theirs are medians; Known is false if one of them was not measured.
	Ours, Theirs float64
	Known        bool
}

// Ratio is ours over theirs.
func (v Verdict) Ratio() float64 { return v.Ours / v.Theirs }

// Met tells whether the target was reached.
func (v Verdict) Met() bool {
	if v.AtLeast {
		return v.Known && v.Ratio() >= v.Bound
	}
	return v.Known && v.Ratio() <= v.Bound
}

const ours = "strowger"

// Judge holds the targets against the result. It leaves out those beside a server that took no part.
func (r *Result) Judge(targets []Target) []Verdict {
	verdicts := make([]Verdict, 0, len(targets))
	for _, t := range targets {
		if !slices.ContainsFunc(r.Series, func(s Series) bool { return s.Server == t.Server }) {
			continue
		}
		v := Verdict{Target: t}
		if a, b := r.find(t.Workload, ours), r.find(t.Workload, t.Server); a != nil && b != nil {
			ourSpread, ok := a.Figure(t.Metric)
			theirSpread, ok2 := b.Figure(t.Metric)
			v.Known = ok && ok2 && theirSpread.Median > 0
			v.Ours, v.Theirs = ourSpread.Median, theirSpread.Median
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// TargetTable writes the verdicts as a Markdown table.
func TargetTable(w io.Writer, verdicts []Verdict) error {
	var b strings.Builder
	b.WriteString("| what | against | target | measured | strowger | the other | |\n|---|---|---|---|---|---|---|\n")
	for _, v := range verdicts {
		sign := "≤"
		if v.AtLeast {
			sign = "≥"
		}
		fmt.Fprintf(&b, "| %s | %s | %s %g × | ", v.Title, v.Server, sign, v.Bound)
		switch {
		case !v.Known:
			b.WriteString("not measured | | | |\n")
		case v.Met():
			fmt.Fprintf(&b, "%.2f × | %s | %s | met |\n", v.Ratio(), number(v.Ours), number(v.Theirs))
		default:
			fmt.Fprintf(&b, "%.2f × | %s | %s | **missed** |\n", v.Ratio(), number(v.Ours), number(v.Theirs))
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}
