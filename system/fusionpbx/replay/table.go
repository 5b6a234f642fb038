package replay

import (
	"cmp"
	"testing"
)

// Table has the differences that a test expects.
type Table []Expected

// Expected is a difference, or several of a kind, and the reason for it.
type Expected struct {
	// Number is where the difference is described, such as A8. It may be empty.
	Number string
	// Reason says in one line why the service under test is right.
	Reason string
	// Match reports whether a difference is meant.
	Match func(d Difference) bool
}

// Check fails the test for each difference that no line of the table expects, and for each line that expects a
// difference which does not occur. It prints the table with the number of differences. found has those of all scenarios.
func (table Table) Check(t testing.TB, found []Difference) {
	t.Helper()
	counts := make([]int, len(table))
	unexpected := 0
	for _, d := range found {
		if i := table.find(d); i >= 0 {
			counts[i]++
			continue
		}
		unexpected++
		if unexpected <= 50 {
			t.Errorf("unexpected difference: %s", d)
		}
	}
	if unexpected > 50 {
		t.Errorf("and %d more", unexpected-50)
	}
	for i, line := range table {
		t.Logf("%6d times  %-4s %s", counts[i], cmp.Or(line.Number, "-"), line.Reason)
		if counts[i] == 0 {
			t.Errorf("expected difference does not occur: %s", line.Reason)
		}
	}
}

func (table Table) find(d Difference) int {
	for i, line := range table {
		if line.Match(d) {
			return i
		}
	}
	return -1
}
