package conformance

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand replaces the variables in a step's text: ${rep:x:N}, a token's ${T.name}, ${T.hash} and
// ${T.file}, and what an expect step captured.
func (r *runner) expand(text string) (string, error) {
	var firstErr error
	expanded := variable.ReplaceAllStringFunc(text, func(match string) string {
		value, err := r.lookUp(match[2 : len(match)-1])
		if err != nil && firstErr == nil {
			firstErr = err
		}
		return value
	})
	return expanded, firstErr
}

func (r *runner) lookUp(name string) (string, error) {
	if value, ok := r.captured[name]; ok {
		return value, nil
	}
	if repeat, ok := strings.CutPrefix(name, "rep:"); ok {
		what, times, _ := strings.Cut(repeat, ":")
		n, err := strconv.Atoi(times)
		if err != nil || n < 0 || n > 64<<20 {
			return "", fmt.Errorf("${%s}: want rep:x:N", name)
		}
		return strings.Repeat(what, n), nil
	}
	owner, part, _ := strings.Cut(name, ".")
	tk, ok := r.tokens[owner]
	switch {
	case ok && part == "name":
		return tk.name, nil
	case ok && part == "hash":
		return tk.hash, nil
	case ok && part == "file":
		return tk.file, nil
	}
	return "", fmt.Errorf("${%s} has no value: no such token, or an answer that never came", name)
}

func TestExpand(t *testing.T) {
	r := &runner{
		tokens:   map[string]token{"t": {name: "N", hash: "H", file: "/d/N.php"}},
		captured: map[string]string{"rid": "abc"},
	}
	for name, c := range map[string]struct {
		text, want string
		fails      bool
	}{
		"nothing":       {"a$b{c}", "a$b{c}", false},
		"token":         {"${t.name} ${t.hash} ${t.file}", "N H /d/N.php", false},
		"captured":      {`{"resource_id":"${rid}"}`, `{"resource_id":"abc"}`, false},
		"repeated":      {"<${rep:xy:3}>", "<xyxyxy>", false},
		"not captured":  {"${other}", "", true},
		"no such token": {"${u.name}", "", true},
		"no such part":  {"${t.age}", "", true},
		"no number":     {"${rep:x:many}", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := r.expand(c.text)
			if (err != nil) != c.fails || (err == nil && got != c.want) {
				t.Fatalf("expanded to %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
