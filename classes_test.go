package strowger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"strowger/config/policy"
)

// classFile is the only file of ours that writes down what FusionPBX calls its services.
const classFile = "config/policy/class.go"

// TestFusionPBXClassesAreListedOnce looks at every text in the program. The name of a class or of a service, and
// a text that is the name of a unit, may stand in the list of classes only. Examples of commands are free: a
// reader copies them.
func TestFusionPBXClassesAreListedOnce(t *testing.T) {
	listed := 0
	for name, texts := range readTexts(t, ".") {
		for _, text := range texts {
			for _, class := range policy.Classes() {
				switch {
				case strings.HasPrefix(text, "  strowger "):
				case name == "config/setting.go" && text == "operator_panel": // a category of FusionPBX's settings
				case !strings.Contains(text, class.Name) && !strings.Contains(text, class.Service) && text != class.Unit:
				case name == classFile:
					listed++
				default:
					t.Errorf("%s has the text %q: take the name from %s", name, text, classFile)
				}
			}
		}
	}
	if want := 3 * len(policy.Classes()); listed != want {
		t.Errorf("%s has %d names, want %d: is the reading wrong?", classFile, listed, want)
	}
}

func TestFusionPBXClassesHavePolicies(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, class := range policy.Classes() {
		want = append(want, class.Name)
		if policy.BuiltinClass(class.Service) != class.Name || policy.BuiltinService(class.Name) != class.Service || policy.BuiltinUnit(class.Service) != class.Unit {
			t.Errorf("%+v is not found by its names", class)
		}
	}
	if got := slices.Sorted(maps.Keys(policies)); !slices.Equal(got, want) {
		t.Errorf("built-in policies %q, classes %q", got, want)
	}
	if policy.BuiltinClass("weather") != "" || policy.BuiltinService("weather_service") != "" || policy.BuiltinUnit("weather") != "" {
		t.Error("a service of somebody else counts as FusionPBX's")
	}
}

// readTexts returns the string literals of the module at root by file, without tests, imports and tags of fields.
func readTexts(t *testing.T, root string) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skip(root, name)
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.Field:
				node.Tag = nil
			case *ast.BasicLit:
				if text, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
					texts[filepath.ToSlash(name)] = append(texts[filepath.ToSlash(name)], text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
