package dialect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	tests := map[string]struct {
		json bool
		role Role
		want []string
		not  string
	}{
		"php client": {role: Role{Topic: "bench", Class: 3, Spare: 2, FirstSpare: 5},
			want: []string{"<?php\nreturn array (", "0 => 'bench'", "1 => 'spare_5'", "2 => 'spare_6'", "'bench_4' => true"}, not: "'bench_3'"},
		"php service": {role: Role{Kind: Service, Topic: "bench"}, want: []string{"'service_name' => 'bench'", ServiceClass}, not: "permissions"},
		"json client": {json: true, role: Role{Topic: "bench", Class: 3},
			want: []string{`"services":["bench"]`, `"bench_4"`}, not: `"bench_3"`},
		"json service": {json: true, role: Role{Kind: Service, Topic: "bench"}, want: []string{`"service":{"name":"bench"`}, not: "permissions"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tokens := &Tokens{Dir: t.TempDir(), JSON: test.json}
			ticket, err := tokens.Create(test.role)
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(tokens.Dir, ticket.Name+".*"))
			if err != nil || len(files) != 1 {
				t.Fatalf("got files %v, %v", files, err)
			}
			content, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(test.want, ticket.Name, ticket.Hash) {
				if !strings.Contains(string(content), want) {
					t.Errorf("no %q in\n%s", want, content)
				}
			}
			if strings.Contains(string(content), test.not) {
				t.Errorf("%q is in\n%s", test.not, content)
			}
			if err := tokens.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(files[0]); err == nil {
				t.Error("the file is there after Close")
			}
		})
	}
}
