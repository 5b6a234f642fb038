package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"strowger/bench/workload"
)

// SettingsTable writes a Markdown table with a row for each setting and, of each workload that compares
// them, the figures that settings change. It writes nothing if there are none.
func (r *Result) SettingsTable(w io.Writer) error {
	var names, servers []string
	titles := make(map[string]string)
	for _, s := range r.Series {
		if s.Curve != workload.Settings {
			continue
		}
		titles[s.Workload], titles[s.Server] = s.Title, s.ServerTitle
		if !slices.Contains(names, s.Workload) {
			names = append(names, s.Workload)
		}
		if !slices.Contains(servers, s.Server) {
			servers = append(servers, s.Server)
		}
	}
	if len(names) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("\n| setting |")
	for _, name := range names {
		b.WriteString(" " + titles[name] + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(names)) + "\n")
	for _, server := range servers {
		fmt.Fprintf(&b, "| `%s` |", titles[server])
		for _, name := range names {
			b.WriteString(" " + r.settingCell(name, server) + " |")
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// settingCell has medians with their units.
func (r *Result) settingCell(name, server string) string {
	s := r.find(name, server)
	if s == nil || len(s.Rounds) == 0 {
		return "failed"
	}
	var parts []string
	for _, f := range []struct {
		metric workload.Metric
		form   string
	}{
		{workload.CPU, "%s µs"}, {workload.P99, "p99 %s ms"}, {workload.Resident, "%s MiB"}, {workload.PerConn, "%s KiB each"},
	} {
		if spread, ok := s.Figure(f.metric); ok {
			parts = append(parts, fmt.Sprintf(f.form, number(spread.Median)))
		}
	}
	return strings.Join(parts, ", ")
}
