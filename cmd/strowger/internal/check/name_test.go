package check

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/check.md")

// TestNames wants each constant to be described once, in the order of the source.
func TestNames(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "name.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var constants, described []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		constants = append(constants, text)
		return true
	})
	for _, d := range Names() {
		described = append(described, string(d.Name))
		if d.Doc == "" {
			t.Errorf("%s says nothing", d.Name)
		}
	}
	if !slices.Equal(constants, described) {
		t.Errorf("constants are\n%q\ndescribed are\n%q", constants, described)
	}
}

// TestDocs holds the table of docs/check.md to the code.
func TestDocs(t *testing.T) {
	const page = "../../../../docs/check.md"
	const begin, end = "<!-- findings: go test ./cmd/strowger/internal/check -run TestDocs -update -->\n\n", "\n<!-- end -->"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| Name | What it says |\n|---|---|\n")
	for _, d := range Names() {
		table.WriteString("| `" + string(d.Name) + "` | " + d.Doc + " |\n")
	}
	before, rest, found := strings.Cut(string(data), begin)
	is, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if is != table.String() {
		t.Errorf("the table of %s is not that of the code, run this test with -update", page)
	}
}
