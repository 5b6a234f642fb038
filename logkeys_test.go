package strowger_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLogKeys holds the code to the list of log keys in docs/admin.md: each key that the program logs is on the
// list, and each key of the list is logged.
func TestLogKeys(t *testing.T) {
	list := listedLogKeys(t)
	keys := &logKeys{fset: token.NewFileSet(), places: map[string][]string{}}
	if err := keys.read("."); err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys.places)) {
		if !slices.Contains(list, key) {
			t.Errorf("docs/admin.md does not say what the log key %q means; it is used at %s", key, strings.Join(keys.places[key], ", "))
		}
	}
	for _, key := range list {
		if len(keys.places[key]) == 0 {
			t.Errorf("docs/admin.md lists the log key %q, which nothing logs", key)
		}
	}
	for _, problem := range keys.problems {
		t.Error(problem)
	}
}

func TestLogKeysAreFound(t *testing.T) {
	const source = `package p
func f() {
	s.log.Info("a", "one", 1, "two", x)
	log.With("three", 3).Log(ctx, level, "a", "four", 4)
	c.log(level, "a", "five", 5)
	e := Event{More: []any{"six", 6, "seven", 7}}
	attributes = append(attributes, "eight", 8)
	slog.Group("nine", slog.Int("ten", 10))
	t.Error("not", "a", "log")
	log.Warn("a", attributes...)
	log.Warn("a", name, 1)
	log.Warn("a", "Odd", 1)
}`
	keys := &logKeys{fset: token.NewFileSet(), places: map[string][]string{}}
	file, err := parser.ParseFile(keys.fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys.inspect(file)
	want := []string{"eight", "five", "four", "nine", "one", "seven", "six", "ten", "three", "two"}
	if got := slices.Sorted(maps.Keys(keys.places)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(keys.problems) != 2 || !strings.HasPrefix(keys.problems[0], "p.go:11:") || !strings.HasPrefix(keys.problems[1], "p.go:12:") {
		t.Errorf("problems: %q, want lines 11 and 12", keys.problems)
	}
}

// listedLogKeys returns the first column of the table of log keys.
func listedLogKeys(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("docs/admin.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| key | is |\n|---|---|\n")
	var keys []string
	for line := range strings.Lines(table) {
		first, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |")
		if !ok || !strings.HasPrefix(line, "| `") {
			break
		}
		keys = append(keys, first)
	}
	if len(keys) == 0 || !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
		t.Fatalf("the table of log keys in docs/admin.md is not there, or it is not sorted: %q", keys)
	}
	return keys
}

// logKeys are the keys that sources log, with the places where they stand.
type logKeys struct {
	fset     *token.FileSet
	places   map[string][]string
	problems []string
	refusals bool // the file is of the package refusals, whose lines are made by a function of its own
}

// read reads the sources of the daemon below root. Tests, examples and the simulator of the switch have logs of their
// own.
func (k *logKeys) read(root string) error {
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "examples" || entry.Name() == "switchsim"):
			return fs.SkipDir
		case entry.IsDir():
			return skip(root, name)
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(k.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		k.inspect(file)
		return nil
	})
}

// inspect finds the keys of a file: in calls of loggers, in attributes, in the lists that refusals carry, and in what
// is appended to such a list.
func (k *logKeys) inspect(file *ast.File) {
	k.refusals = file.Name.Name == "refusals"
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			k.call(node)
		case *ast.CompositeLit:
			if list, ok := node.Type.(*ast.ArrayType); ok && isAny(list.Elt) && pairs(node.Elts) {
				k.add(node.Elts)
			}
		}
		return true
	})
}

func (k *logKeys) call(call *ast.CallExpr) {
	method, receiver := callee(call.Fun)
	switch {
	case receiver == "slog" && slices.Contains([]string{"String", "Int", "Int64", "Uint64", "Float64", "Bool", "Time", "Duration", "Any", "Group"}, method):
		if len(call.Args) > 0 && !isReason(call.Args[0]) {
			k.add(call.Args[:1])
		}
	case call.Ellipsis.IsValid():
	case method == "append" && len(call.Args) > 2 && last(call.Args[0]) == "attributes":
		if logKey.MatchString(text(call.Args[1])) { // otherwise the caller of the function has the key
			k.add(call.Args[1:])
		}
	case method == "add" && k.refusals:
		k.add(call.Args)
	case slices.Contains([]string{"Debug", "Info", "Warn"}, method) && len(call.Args) > 0:
		k.add(call.Args[1:])
	case !isLogger(receiver) && method != "log":
	case method == "Error" && len(call.Args) > 0:
		k.add(call.Args[1:])
	case method == "With":
		k.add(call.Args)
	case method == "log" && len(call.Args) > 2:
		k.add(call.Args[2:])
	case method == "Log" && len(call.Args) > 3:
		k.add(call.Args[3:])
	}
}

var logKey = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// add takes every other argument for a key. An attribute that slog makes stands alone and is found by itself.
func (k *logKeys) add(args []ast.Expr) {
	for i := 0; i < len(args); i += 2 {
		if call, ok := args[i].(*ast.CallExpr); ok {
			if _, receiver := callee(call.Fun); receiver == "slog" {
				i--
				continue
			}
		}
		place, key := k.fset.Position(args[i].Pos()).String(), text(args[i])
		if !logKey.MatchString(key) {
			k.problems = append(k.problems, fmt.Sprintf("%s: the key of an attribute must be a constant in lower case", place))
			continue
		}
		k.places[key] = append(k.places[key], place)
	}
}

// callee returns the name of a method and the last name of what it is called on.
func callee(fun ast.Expr) (method, receiver string) {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name, ""
	case *ast.SelectorExpr:
		return fun.Sel.Name, last(fun.X)
	}
	return "", ""
}

// last returns the last name of an expression.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		if method, receiver := callee(e.Fun); method == "With" {
			return receiver
		} else {
			return method
		}
	}
	return ""
}

func isLogger(name string) bool {
	name = strings.ToLower(name)
	return name == "slog" || strings.HasSuffix(name, "log") || strings.HasSuffix(name, "logger")
}

// isReason reports whether e is reason.String(). The group dead_letters has a key for each reason of the metric
// of that name.
func isReason(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, receiver := callee(call.Fun)
	return method == "String" && receiver == "reason"
}

func isAny(e ast.Expr) bool { return last(e) == "any" }

// pairs reports whether elements are keys and values in turn.
func pairs(elements []ast.Expr) bool {
	for i := 0; i < len(elements); i += 2 {
		if !logKey.MatchString(text(elements[i])) {
			return false
		}
	}
	return len(elements)%2 == 0
}

// text returns the value of a string literal, or "".
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}
