package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

// departure says why a scenario's transcript is not its golden. What it is instead stands in
// testdata/conformance/want.
type departure struct {
	mode   string // want: the golden shows a defect; rfc: it holds only where RFC 6455 does not
	reason string
	then   []step // done behind the recorded steps, to show what those do not look at
}

func wantFile(name string) string { return filepath.Join(testdata, "want", name+".golden") }

// expected returns the transcript that sc must have: its golden, or the file called name where a
// departure is due.
func expected(t *testing.T, sc scenario, name string) []string {
	t.Helper()
	if _, departs := departures()[sc.Name]; !departs {
		return parseGolden(sc.golden)
	}
	want, err := os.ReadFile(wantFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return parseGolden(want)
}

// report returns a table of all scenarios and what each is held to.
func report(scenarios []scenario) string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row("SCENARIO", "CATEGORY", "MODE", "REASON")
	count := map[string]int{}
	for _, sc := range scenarios {
		mode, reason := "golden", ""
		if d, departs := departures()[sc.Name]; departs {
			mode, reason = d.mode, d.reason
		}
		count[mode]++
		row(sc.Name, sc.Category, mode, reason)
	}
	_ = table.Flush() // a strings.Builder takes everything
	fmt.Fprintf(&out, "%d scenarios: %d golden, %d want, %d rfc\n",
		len(scenarios), count["golden"], count["want"], count["rfc"])
	return out.String()
}
