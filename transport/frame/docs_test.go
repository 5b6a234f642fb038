package frame

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// documented returns the reasons in the table of close codes in docs/protocol.md, by code.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## 8. Close codes\n")
	if !found {
		t.Fatal("docs/protocol.md has no section of close codes")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	reasons := map[string]string{}
	rows := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if rows++; rows <= 2 {
			continue // the head
		}
		// One row stands for all codes that are merely echoed.
		for code := range strings.SplitSeq(strings.TrimSpace(cells[0]), ", ") {
			reasons[code] = strings.TrimSpace(cells[1])
		}
	}
	return reasons
}

func TestPageHasEveryCloseCode(t *testing.T) {
	reasons := documented(t)
	for name, c := range closeCodes {
		code, want := fmt.Sprint(c.value), "empty"
		if c.code == CloseNone {
			code = "none"
		}
		if reason := c.code.Reason(); reason != "" {
			want = "`" + reason + "`"
		}
		if got := reasons[code]; got != want {
			t.Errorf("%s: the page says %q, want %q", name, got, want)
		}
		delete(reasons, code)
	}
	delete(reasons, "and others of the peer's")
	for code := range reasons {
		t.Errorf("the page has %s, which the package lacks", code)
	}
}

// Every code that the package declares is in the table of the tests.
func TestTableHasEveryCloseCode(t *testing.T) {
	source, err := os.ReadFile("closecode.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for line := range strings.Lines(string(source)) {
		name, isDeclared := strings.CutPrefix(line, "\tClose")
		if !isDeclared || !strings.Contains(line, "CloseCode = ") {
			continue
		}
		declared++
		if _, ok := closeCodes["Close"+strings.Fields(name)[0]]; !ok {
			t.Errorf("the table lacks Close%s", strings.Fields(name)[0])
		}
	}
	if declared != len(closeCodes) {
		t.Errorf("%d codes are declared, the table has %d", declared, len(closeCodes))
	}
}

// TestAsyncAPIHasEveryCloseCode compares the codes in docs/asyncapi.yaml, one a line, with those of the package.
func TestAsyncAPIHasEveryCloseCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^ +- \{code: ([0-9]+), reason: ([^,]+), when: .+\}$`).FindAllStringSubmatch(string(page), -1) {
		reasons[match[1]] = strings.Trim(match[2], `"`)
	}
	for name, c := range closeCodes {
		if c.code == CloseNone {
			continue // no code at all
		}
		got, found := reasons[fmt.Sprint(c.value)]
		if !found || got != c.code.Reason() {
			t.Errorf("%s: the page says %q, want %q", name, got, c.code.Reason())
		}
	}
	if len(reasons) != len(closeCodes)-1 {
		t.Errorf("the page has %d codes, the package %d", len(reasons), len(closeCodes)-1)
	}
}
