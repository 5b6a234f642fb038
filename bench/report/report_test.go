package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/bench/workload"
)

func sampleResult() *Result {
	series := func(name, server string, cpu ...float64) Series {
		s := Series{Workload: name, Title: "title of " + name, Server: server, ServerTitle: server}
		for _, value := range cpu {
			s.Rounds = append(s.Rounds, workload.Figures{workload.CPU: value})
		}
		return s
	}
	curve := series("curve", ours, 2)
	curve.Curve, curve.X = "members", 1000
	broken := series("broken", "nats")
	broken.Errors = []string{"3 deliveries are missing\nand more"}
	other := series("curve-2", ours, 3)
	other.Curve, other.X = "members", 10
	return &Result{Machine: "a machine", Series: []Series{
		series("fanout", ours, 0.5, 3, 1), series("fanout", "nats", 2, 2, 2), broken, curve, other}}
}

func TestJudge(t *testing.T) {
	targets := []Target{
		{Title: "met", Workload: "fanout", Metric: workload.CPU, Server: "nats", Bound: 0.5},
		{Title: "missed", Workload: "fanout", Metric: workload.CPU, Server: "nats", Bound: 0.4},
		{Title: "at least", Workload: "fanout", Metric: workload.CPU, Server: "nats", Bound: 0.5, AtLeast: true},
		{Title: "not enough", Workload: "fanout", Metric: workload.CPU, Server: "nats", Bound: 5, AtLeast: true},
		{Title: "another metric", Workload: "fanout", Metric: workload.P99, Server: "nats", Bound: 1},
		{Title: "nobody", Workload: "fanout", Metric: workload.CPU, Server: "php", Bound: 1},
		{Title: "failed rounds", Workload: "broken", Metric: workload.CPU, Server: "nats", Bound: 1},
	}
	met := map[string]bool{"met": true, "at least": true}
	known := map[string]bool{"met": true, "at least": true, "missed": true, "not enough": true}
	verdicts := sampleResult().Judge(targets)
	if len(verdicts) != len(targets)-1 {
		t.Errorf("%d verdicts, want one for each target but that beside a server that took no part", len(verdicts))
	}
	for _, v := range verdicts {
		if v.Met() != met[v.Title] || v.Known != known[v.Title] {
			t.Errorf("%s: met %t, known %t", v.Title, v.Met(), v.Known)
		}
		if v.Known && v.Ratio() != 0.5 {
			t.Errorf("%s: ratio %g, want 0.5", v.Title, v.Ratio())
		}
	}
}

func TestTables(t *testing.T) {
	var b bytes.Buffer
	if err := sampleResult().Tables(&b); err != nil {
		t.Fatal(err)
	}
	want := `| workload | server | CPU, µs |
|---|---|---|
| title of fanout | strowger | 1 (0.50–3) |
|  | nats | 2 |
| title of broken | nats | failed |

**A round failed**: 3 deliveries are missing
`
	if b.String() != want {
		t.Fatalf("got\n%swant\n%s", b.String(), want)
	}
}

func TestNumber(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 0.123: "0.12", 12.34: "12.3", 123.4: "123", 1234: "1234", 56_789: "57k", 1_234_567: "1.23M"} {
		if got := number(value); got != want {
			t.Errorf("%g: got %s, want %s", value, got, want)
		}
	}
}

func TestWriteReadMerge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	first := sampleResult()
	if err := first.Write(path); err != nil {
		t.Fatal(err)
	}
	read, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	later := &Result{Series: []Series{
		{Workload: "fanout", Server: "nats", Rounds: []workload.Figures{{workload.CPU: 9}}},
		{Workload: "new", Server: "nats"},
	}}
	read.Merge(later)
	if spread, _ := read.find("fanout", "nats").Figure(workload.CPU); spread.Median != 9 {
		t.Errorf("got median %g, want the later one", spread.Median)
	}
	if len(read.Series) != len(first.Series)+1 {
		t.Errorf("got %d series, want %d", len(read.Series), len(first.Series)+1)
	}
}

func TestPlot(t *testing.T) {
	r := sampleResult()
	var b bytes.Buffer
	drawn, err := r.Plot(&b, workload.Curves()[0])
	if err != nil || !drawn {
		t.Fatalf("drawn %t, %v", drawn, err)
	}
	circles := 0
	decoder := xml.NewDecoder(&b)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 2 {
		t.Errorf("got %d points, want 2", circles)
	}
	if drawn, err := r.Plot(&b, workload.Curves()[1]); drawn || err != nil {
		t.Errorf("drew what was not measured: %v", err)
	}
}

func TestSettingsTable(t *testing.T) {
	series := func(name, title string, figures workload.Figures) Series {
		return Series{Workload: name, Title: "title of " + name, Curve: workload.Settings, Server: title, ServerTitle: title, Rounds: []workload.Figures{figures}}
	}
	r := &Result{Series: []Series{
		series("fan", "GOGC=50", workload.Figures{workload.CPU: 0.5, workload.Resident: 20}),
		series("fan", "GOGC=100", workload.Figures{workload.CPU: 0.25}),
		series("idle", "GOGC=50", workload.Figures{workload.PerConn: 5}),
	}}
	var b strings.Builder
	if err := r.SettingsTable(&b); err != nil {
		t.Fatal(err)
	}
	want := "\n| setting | title of fan | title of idle |\n|---|---|---|\n" +
		"| `GOGC=50` | 0.50 µs, 20 MiB | 5 KiB each |\n| `GOGC=100` | 0.25 µs | failed |\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := sampleResult().SettingsTable(&b); err != nil || b.Len() > 0 {
		t.Errorf("wrote %q of no settings, %v", b.String(), err)
	}
}

func TestPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "# Title\n"
	for _, name := range []string{"heading", "targets", "tables", "settings", "curves"} {
		page += "<!-- measured " + name + " -->\nold\n<!-- end " + name + " -->\nprose\n"
	}
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := sampleResult().Page(path, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if strings.Contains(text, "old") || strings.Count(text, "prose") != 5 || strings.Count(text, "a machine") != 1 ||
		strings.Count(text, "page-members.svg") != 1 {
		t.Fatalf("got\n%s", text)
	}
	if err := os.WriteFile(path, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sampleResult().Page(path, nil); err == nil {
		t.Fatal("filled a page without places for it")
	}
}
