package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"strowger/bench/workload"
)

// Tables writes one Markdown table with a row for each workload and server: medians, and behind them
// the least and the most of the rounds. Workloads of curves are left out.
func (r *Result) Tables(w io.Writer) error {
	var series []*Series
	for i := range r.Series {
		if r.Series[i].Curve == "" {
			series = append(series, &r.Series[i])
		}
	}
	if len(series) == 0 {
		return nil
	}
	columns := metrics(series)
	var b strings.Builder
	b.WriteString("| workload | server |")
	for _, m := range columns {
		b.WriteString(" " + heading(m) + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(columns)) + "\n")
	last := ""
	for _, s := range series {
		title := s.Title
		if title == last {
			title = ""
		} else {
			last = title
		}
		fmt.Fprintf(&b, "| %s | %s |", title, s.ServerTitle)
		for _, m := range columns {
			b.WriteString(" " + cell(s, m) + " |")
		}
		b.WriteString("\n")
	}
	for _, message := range r.Failed() {
		first, _, _ := strings.Cut(message, "\n")
		fmt.Fprintf(&b, "\n**A round failed**: %s\n", first)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(m workload.Metric) string {
	name, unit, ok := strings.Cut(string(m), "_")
	headings := map[workload.Metric]string{
		workload.CPU:       "CPU, µs",
		workload.Rate:      "a second",
		workload.PerConn:   "RSS, KiB a connection",
		workload.PerConnGC: "after GC",
		workload.Resident:  "RSS, MiB",
		workload.Peak:      "peak, MiB",
		workload.CutOff:    "cut off",
		workload.Joined:    "came and went",
		workload.Load:      "generator's CPU, µs",
	}
	if text, ok := headings[m]; ok {
		return text
	}
	if !ok {
		return name
	}
	return name + ", " + unit
}

func cell(s *Series, m workload.Metric) string {
	if len(s.Rounds) == 0 {
		return "failed"
	}
	spread, ok := s.Figure(m)
	if !ok {
		return ""
	}
	if spread.Min == spread.Max {
		return number(spread.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(spread.Median), number(spread.Min), number(spread.Max))
}

// number has three significant digits.
func number(x float64) string {
	switch a := math.Abs(x); {
	case a >= 1e6:
		return strconv.FormatFloat(x/1e6, 'f', 2, 64) + "M"
	case a >= 1e4:
		return strconv.FormatFloat(x/1e3, 'f', 0, 64) + "k"
	case a >= 100 || a == math.Trunc(a):
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
}

// Heading is the machine, the date and what was measured, for the top of a page.
func (r *Result) Heading(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "- machine: %s\n- date: %s\n- commit: %s\n", r.Machine, r.Date, r.Commit)
	names := make([]string, 0, len(r.Versions))
	for name := range r.Versions {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] += " " + r.Versions[name]
	}
	fmt.Fprintf(&b, "- against: %s\n", strings.Join(names, ", "))
	if !r.Filters {
		b.WriteString("- **strowger did not filter**: this commit knows no policies, so all classes are one\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}
