package strowger_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// rowsOf returns the cells of the rows of a page's tables whose first cell matches, by the text in the backquotes there.
func rowsOf(t *testing.T, page string, first *regexp.Regexp) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := first.FindStringSubmatch(cells[0])
		if !strings.HasPrefix(line, "| ") || name == nil {
			continue
		}
		if rows[name[1]] != nil && page == limitsPage {
			t.Errorf("%s: %s has two rows", page, name[1])
		}
		rows[name[1]] = cells
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no such rows: is the reading wrong?", page)
	}
	return rows
}

const limitsPage = "docs/limits.md"

// TestLimits holds the page of limits to the settings, the causes, the metrics, the codes and the tests, and wants each
// setting that is a limit to be on it.
func TestLimits(t *testing.T) {
	quoted := regexp.MustCompile("^`([a-z_0-9.]+)`$")
	settings := rowsOf(t, "docs/configuration.md", quoted)
	causes := rowsOf(t, "docs/admin.md", quoted)
	metrics := rowsOf(t, "docs/metrics.md", regexp.MustCompile("^`(strowger_[a-z_]+)`$"))
	codes := rowsOf(t, "docs/protocol.md", regexp.MustCompile(`^(\d{3,4})$`))
	limits := rowsOf(t, limitsPage, quoted)
	for key := range settings {
		if (strings.HasPrefix(key, "limits.") || strings.HasPrefix(key, "http.")) && limits[key] == nil {
			t.Errorf("%s is not on the page of limits", key)
		}
	}
	code := regexp.MustCompile(`\b[1-5]\d{2,3}\b`)
	place := regexp.MustCompile(`^[a-z0-9/]+ Test\w+$`)
	for key, cells := range limits {
		if len(cells) != 6 {
			t.Errorf("%s: %d cells, want 6", key, len(cells))
			continue
		}
		if s := settings[key]; s == nil {
			t.Errorf("%s is no setting", key)
		} else if s[1] != cells[1] {
			t.Errorf("%s: the default is %s, and the page says %s", key, s[1], cells[1])
		}
		for _, c := range code.FindAllString(cells[2], -1) {
			if codes[c] == nil && c != "431" {
				t.Errorf("%s: docs/protocol.md has no %s", key, c)
			}
		}
		if cause := strings.Trim(cells[3], "`"); cause != "none" {
			if row := causes[cause]; row == nil {
				t.Errorf("%s: docs/admin.md has no cause %s", key, cause)
			} else if !strings.Contains(row[2], "`"+key+"`") {
				t.Errorf("%s: docs/admin.md does not say that it decides about the cause %s", key, cause)
			}
		}
		if metrics[strings.Trim(cells[4], "`")] == nil {
			t.Errorf("%s: docs/metrics.md has no %s", key, cells[4])
		}
		for test := range strings.SplitSeq(cells[5], ", ") {
			if !place.MatchString(test) {
				t.Errorf("%s: %q is not a directory and a test", key, test)
			} else if dir, name, _ := strings.Cut(test, " "); !declares(t, dir, name) {
				t.Errorf("%s: there is no %s in %s", key, name, dir)
			}
		}
	}
}
