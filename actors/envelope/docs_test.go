package envelope

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// statuses are all answers of the package, by name.
var statuses = map[string]Status{
	"AuthenticationRequired": AuthenticationRequired,
	"Authenticated":          Authenticated,
	"Offered":                Offered,
	"Unauthorized":           Unauthorized,
	"BadRequest":             BadRequest,
	"Forbidden":              Forbidden,
	"NotFound":               NotFound,
	"InternalError":          InternalError,
	"Unavailable":            Unavailable,
	"DeadlineExceeded":       DeadlineExceeded,
}

// section returns the rows of the first table in a section of docs/protocol.md, without the rows
// that name the columns.
func section(t *testing.T, heading string, columns int) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/protocol.md has no section %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var rows [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != columns {
			t.Fatalf("docs/protocol.md, section %q: %d columns, want %d: %s", heading, len(cells), columns, line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("docs/protocol.md, section %q: no table", heading)
	}
	return rows[2:]
}

// exported returns the exported names that a file of the package declares as constants or variables.
func exported(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range parsed.Decls {
		declaration, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range declaration.Specs {
			values, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for _, name := range values.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// checkNames reports the names of a file that the table of a test lacks, and the other way round.
func checkNames[V any](t *testing.T, file string, table map[string]V) {
	t.Helper()
	names := exported(t, file)
	for _, name := range names {
		if _, ok := table[name]; !ok {
			t.Errorf("%s declares %s, which is not in the test's table", file, name)
		}
	}
	if len(names) != len(table) {
		t.Errorf("%s declares %d names, the test's table has %d", file, len(names), len(table))
	}
}

// or returns the text as the page spells it: in backquotes, or what stands for an empty one.
func or(text, empty string) string {
	if text == "" {
		return empty
	}
	return "`" + text + "`"
}

func TestPageHasEveryStatus(t *testing.T) {
	checkNames(t, "status.go", statuses)
	rows := section(t, "7. The router's own answers", 5)
	if len(rows) != len(statuses) {
		t.Errorf("the page has %d answers, the package %d", len(rows), len(statuses))
	}
	for name, s := range statuses {
		want := []string{fmt.Sprint(s.Code), or(s.Text, "empty"), or(s.Service, "the message's"), or(s.Topic, "the message's")}
		i := slices.IndexFunc(rows, func(row []string) bool {
			return slices.Equal([]string{row[0], row[1], strings.TrimSuffix(row[2], ", see below"), row[3]}, want)
		})
		if i < 0 {
			t.Errorf("the page lacks %s, %q", name, want)
			continue
		}
		if rows[i][4] == "" {
			t.Errorf("%s: the page does not say when", name)
		}
	}
}

func TestPageHasEveryKey(t *testing.T) {
	rows := section(t, "3. The envelope", 5)
	if len(rows) != len(envelopeKeys) {
		t.Fatalf("the page has %d keys, the envelope %d", len(rows), len(envelopeKeys))
	}
	for i, k := range envelopeKeys {
		want := []string{"`" + k.name + "`", or(k.absent, "32 random hex digits")}
		if !slices.Equal(rows[i][:2], want) {
			t.Errorf("row %d: the page says %q, want %q", i+1, rows[i][:2], want)
		}
		if want := or(k.alias, ""); rows[i][3] != want {
			t.Errorf("%s: the page says that %q is read too, want %q", k.name, rows[i][3], want)
		}
	}
}
