package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"strowger/config/policy"
)

const (
	page       = "../docs/configuration.md"
	tableBegin = "<!-- keys: go test ./config -run TestDocs -update -->\n"
	tableEnd   = "<!-- end of keys -->\n"
)

// TestDocs fails when the table in docs/configuration.md is not the one in
// keys.go; `go test ./config -run TestDocs -update` writes it anew.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), tableBegin)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", page, tableBegin, tableEnd)
	}
	want := before + tableBegin + keyTable() + tableEnd + after
	if string(data) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date, run: go test ./config -run TestDocs -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// keyTable returns the keys as a table in Markdown.
func keyTable() string {
	var table strings.Builder
	table.WriteString("\n| Key | Default | Allowed | Applied by | Meaning |\n|---|---|---|---|---|\n")
	for _, k := range keys() {
		applied := strings.TrimPrefix(k.apply.String(), "Applied by a ")
		row := fmt.Sprintf("| `%s` | `%s` | %s | %s | %s |", k.name, format(k.def), k.rule.text, applied, k.doc)
		table.WriteString(strings.ReplaceAll(row, "*", `\*`) + "\n")
	}
	row := fmt.Sprintf("| `%s` | `{}` | policies by name | reload | %s |", policiesKey, policiesDoc)
	table.WriteString(row + "\n\n")
	return table.String()
}

func TestDocsTableIsWellFormed(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(keyTable()), "\n")
	if got, want := len(lines), len(keys())+3; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	for _, line := range lines {
		if strings.Count(line, "|") != 6 {
			t.Errorf("not five cells: %s", line)
		}
	}
}

// The examples of the pages are checked by loading them.
func TestDocsExamplesLoad(t *testing.T) {
	for _, page := range []string{page, policyPage} {
		t.Run(page, func(t *testing.T) { loadExamples(t, page) })
	}
}

const policyPage = "../docs/policies.md"

// Every rule has a heading or at least an example.
func TestPolicyPageHasEveryRule(t *testing.T) {
	data, err := os.ReadFile(policyPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[policy.Policy](), reflect.TypeFor[policy.Scope](), reflect.TypeFor[policy.Absent]()} {
		for i := range of.NumField() {
			rule, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ",")
			if !strings.Contains(string(data), rule+":") {
				t.Errorf("no example of %s", rule)
			}
		}
	}
}

// TestDocsErrors makes the mistakes of which the page shows the errors.
func TestDocsErrors(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "sorted by key:\n\n```\n")
	want, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatalf("%s shows no errors", page)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("strowger.yaml", []byte("#\n#\n#\n#\nlimits:\n  header_timeout: 3\n  depht: 100\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(Options{File: "strowger.yaml", Environ: []string{"STROWGER_LOG__LEVEL=loud"}})
	if err == nil || err.Error() != want {
		t.Errorf("the daemon says\n%v\nthe page\n%s", err, want)
	}
}

func loadExamples(t *testing.T, page string) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for i, part := range strings.Split(string(data), "```") {
		if text, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			examples++
			if len(Diff(Default(), mustLoadYAML(t, text))) == 0 {
				t.Errorf("sets nothing:\n%s", text)
			}
		}
	}
	if examples == 0 {
		t.Error("no examples")
	}
}
