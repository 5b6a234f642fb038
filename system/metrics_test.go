package system

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"strowger/system/internal/introspect"
)

// everything is a system with all that can have metrics.
type everything struct{}

func (everything) Start()         {}
func (everything) Stop()          {}
func (everything) Close()         {}
func (everything) Refused() int64 { return 1 }
func (everything) Unasked() int64 { return 2 }

type withSwitch struct{ everything }

func (withSwitch) Stats() introspect.Switch { return introspect.Switch{Connected: true} }

type withDatabase struct{ everything }

func (withDatabase) Stats() introspect.Database { return introspect.Database{Up: true} }

// startWithEverything runs a router in which each of its metrics has a series.
func startWithEverything(t *testing.T) *System {
	t.Helper()
	cfg := testConfig(t)
	cfg.Admin.Address, cfg.Cluster.Listen = "127.0.0.1:0", "127.0.0.1:0"
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler), LogLost: func() int64 { return 0 }, Switch: withSwitch{},
		Database: withDatabase{}, Panel: everything{}, Version: "1.2.3", Commit: "abc"}, calm("inside"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	other := testConfig(t)
	other.Cluster.Listen, other.Cluster.Routes = "127.0.0.1:0", []string{takes(s)}
	start(t, other)
	linked(t, s, 1)
	c := join(t, s, user("one.example", []string{"view", "edit"}, "inside"))
	c.sendf(`{"service":"inside","topic":"echo","request_id":"1","payload":{}}`)
	c.gets(`200 inside/echo #"1" {}`)
	c.sendf(`[]`) // nobody can take it
	c.sendf(`{"service":"inside","topic":"echo","request_id":"2","payload":{}}`)
	c.gets(`200 inside/echo #"2" {}`)
	return s
}

// scrape returns what /metrics has, by name.
func scrape(t *testing.T, s *System) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(get(t, s, "/metrics", 200)))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// documented is a row of a table in docs/metrics.md.
type documented struct{ labels, kind, meaning string }

// TestMetricsAreDocumented holds docs/metrics.md to what a router exports, in both directions. Go's own metrics are
// left out.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]documented)
	row := regexp.MustCompile("(?m)^\\| `(strowger_[a-z_]+)` \\| ([^|]*) \\| ([a-z]+) \\| ([^|]+) \\| ([^|]+) \\|$")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		if _, again := rows[m[1]]; again {
			t.Errorf("docs/metrics.md has %s twice", m[1])
		}
		rows[m[1]] = documented{labels: strings.TrimSpace(m[2]), kind: m[3], meaning: m[4]}
	}
	if lines := strings.Count(string(text), "\n| `strowger_"); lines != len(rows) {
		t.Errorf("docs/metrics.md has %d rows, and %d of them have the form of the others", lines, len(rows))
	}
	exported := make(map[string]documented)
	for name, family := range scrape(t, startWithEverything(t)) {
		if strings.HasPrefix(name, "strowger_") {
			exported[name] = documentOf(family)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		if want := exported[name]; rows[name] != want {
			t.Errorf("docs/metrics.md has %+v of %s, want\n| `%s` | %s | %s | %s | when to worry |", rows[name], name, name, want.labels, want.kind, want.meaning)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("docs/metrics.md has %s, which a router does not export", name)
	}
}

func documentOf(family *dto.MetricFamily) documented {
	var labels []string
	for _, pair := range family.Metric[0].Label {
		labels = append(labels, fmt.Sprintf("`%s`", pair.GetName()))
	}
	slices.Sort(labels)
	return documented{labels: strings.Join(labels, ", "), kind: strings.ToLower(family.GetType().String()), meaning: family.GetHelp()}
}
