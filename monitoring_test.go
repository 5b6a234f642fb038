package strowger_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// listedMetrics returns the metrics of docs/metrics.md with their kinds. A test of package system holds that page to
// what a router exports.
func listedMetrics(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(strowger_[a-z_]+)` \\|[^|]*\\| ([a-z]+) \\|").FindAllStringSubmatch(string(text), -1) {
		list[row[1]] = row[2]
	}
	if len(list) == 0 {
		t.Fatal("docs/metrics.md lists no metric")
	}
	return list
}

// checkNames fails for a metric in an expression that a router does not export, or does not export in that form. It
// returns which of ours it has found.
func checkNames(t *testing.T, expr string, list map[string]string) (found []string) {
	t.Helper()
	for _, name := range regexp.MustCompile(`\b(?:strowger|go|process)_[a-z_]+\b`).FindAllString(expr, -1) {
		if !strings.HasPrefix(name, "strowger_") {
			continue
		}
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if cut, ok := strings.CutSuffix(name, suffix); ok && list[cut] == "histogram" {
				base = cut
			}
		}
		kind := list[base]
		switch {
		case kind == "":
			t.Errorf("there is no metric %s: %s", name, expr)
		case kind == "histogram" && base == name:
			t.Errorf("%s is a histogram, and needs _bucket, _count or _sum: %s", name, expr)
		case kind == "counter" && !regexp.MustCompile(`(rate|increase)\(`+name).MatchString(expr):
			t.Errorf("%s is a counter, and needs rate or increase: %s", name, expr)
		}
		found = append(found, base)
	}
	return found
}

// dashboard is what the test looks at of a Grafana dashboard.
type dashboard struct {
	UID        string
	Title      string
	Panels     []panel
	Templating struct{ List []struct{ Name string } }
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr string }
}

func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("deploy/grafana/strowger.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	list, found, ids := listedMetrics(t), map[string]bool{}, map[int]bool{}
	for i, p := range d.Panels {
		if p.Title == "" || ids[p.ID] || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d: %+v", i, p)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range checkNames(t, target.Expr, list) {
				found[name] = true
			}
			for _, variable := range regexp.MustCompile(`\$([a-z]+)`).FindAllStringSubmatch(target.Expr, -1) {
				known := slices.ContainsFunc(d.Templating.List, func(v struct{ Name string }) bool { return v.Name == variable[1] })
				if !known {
					t.Errorf("panel %q has the variable %s, which the dashboard has not", p.Title, variable[0])
				}
			}
		}
		for _, other := range d.Panels[:i] {
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("panel %q lies on %q", p.Title, other.Title)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if list[name] == "histogram" && !found[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// alertRules is a file of rules for Prometheus.
type alertRules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert       string
			Expr        string
			For         string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("deploy/alerts/strowger.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file alertRules
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	sections, list, alerts := runbookSections(t), listedMetrics(t), 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			alerts++
			checkNames(t, rule.Expr, list)
			if rule.For == "" || rule.Annotations["summary"] == "" || !slices.Contains([]string{"warning", "critical"}, rule.Labels["severity"]) {
				t.Errorf("%s: %+v lacks something", rule.Alert, rule)
			}
			anchor, ok := strings.CutPrefix(rule.Annotations["runbook"], "docs/runbook.md#")
			if !ok || !strings.Contains(sections[anchor], "`"+rule.Alert+"`") {
				t.Errorf("%s: the runbook has no section for it at %q", rule.Alert, rule.Annotations["runbook"])
			}
			delete(sections, anchor)
		}
	}
	if alerts == 0 {
		t.Error("there are no alerts")
	}
	for anchor, section := range sections {
		if strings.Contains(section, "Alert: `") {
			t.Errorf("docs/runbook.md has a section %q for an alert that does not exist", anchor)
		}
	}
}

// runbookSections returns the sections of docs/runbook.md by their anchor, as sites make it of a title.
func runbookSections(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := make(map[string]string)
	for _, section := range strings.Split("\n"+string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		anchor := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(title), "")
		sections[strings.ReplaceAll(anchor, " ", "-")] = body
	}
	return sections
}
