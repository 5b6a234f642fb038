package admin

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write docs/admin.md anew")

// TestDocs fails when the table of metrics in docs/admin.md is not what /metrics has.
func TestDocs(t *testing.T) {
	const (
		page  = "../../../docs/admin.md"
		begin = "<!-- metrics: go test ./system/internal/admin -run TestDocs -update -->\n"
		end   = "<!-- end of metrics -->\n"
	)
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", page, begin, end)
	}
	want := before + begin + metricTable() + end + after
	if string(data) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date, run: go test ./system/internal/admin -run TestDocs -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// metricTable returns our metrics as a table in Markdown.
func metricTable() string {
	var table strings.Builder
	table.WriteString("\n| Metric | Labels | Kind | Meaning |\n|---|---|---|---|\n")
	row := func(name, labels string, kind prometheus.ValueType, help string) {
		word := "gauge"
		if kind == prometheus.CounterValue {
			word = "counter"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, labels, word, help)
	}
	for _, c := range counters() {
		row(c.name, "", c.kind, c.help)
	}
	row(cutName, "`cause`", prometheus.CounterValue, cutHelp)
	row(refusedName, "`cause`", prometheus.CounterValue, refusedHelp)
	row(deadName, "`reason`", prometheus.CounterValue, deadHelp)
	for _, c := range switchCounters() {
		row(c.name, "", c.kind, c.help)
	}
	for _, c := range databaseCounters() {
		row(c.name, "", c.kind, c.help)
	}
	for _, g := range gauges() {
		row(g.name, "`actor`", g.kind, g.help)
	}
	row(omittedName, "", prometheus.GaugeValue, omittedHelp)
	table.WriteString("\n")
	return table.String()
}
