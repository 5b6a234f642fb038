package policy

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"unknown key":   {"a:\n  require: [p]\n  scope: x\n", "line 3: field scope not found"},
		"class twice":   {"a:\n  require: [p]\na:\n  require: [p]\n", "line 3: mapping key \"a\" already defined"},
		"wrong type":    {"a:\n  require: p\n", "line 2: cannot unmarshal"},
		"bad policies":  {"a: {}\nb:\n  require: [p, p]\n", "policy a: scopes: no rule at all; write a scope to all to let everybody see everything\npolicy b: require[1]: \"p\" is there twice"},
		"two documents": {"a:\n  require: [p]\n---\nb:\n  require: [p]\n", "more than one document"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(test.yaml)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if p, err := Parse(nil); err != nil || len(p) != 0 {
		t.Errorf("no document: got %v, %v", p, err)
	}
}

func TestBuiltin(t *testing.T) {
	policies, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse([]byte(BuiltinYAML()))
	if err != nil || len(again) != len(policies) {
		t.Errorf("the YAML holds %d policies, %v", len(again), err)
	}
	if len(policies) != 4 {
		t.Errorf("there are %d policies, want 4", len(policies))
	}
}
