package token

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/system/token/internal/php"
)

// phpScripts holds the PHP side of these tests.
const phpScripts = "../../testdata/php"

// runPHP runs one of our scripts with a real PHP and returns what it prints.
// Without PHP the test is skipped, or fails where STROWGER_REQUIRE_PHP is 1.
func runPHP(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	php, err := exec.LookPath("php")
	if err != nil {
		if os.Getenv("STROWGER_REQUIRE_PHP") == "1" {
			t.Fatal("php is not installed and STROWGER_REQUIRE_PHP is 1")
		}
		t.Skip("php is not installed")
	}
	cmd := exec.CommandContext(t.Context(), php, append([]string{"-n", filepath.Join(phpScripts, script)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("php %s: %v\n%s%s", script, err, stderr.Bytes(), out)
	}
	return out
}

// TestPHPReadsTheSame lets PHP write values and include them again, and wants
// our parser to see what include saw and our printer to write what PHP wrote.
func TestPHPReadsTheSame(t *testing.T) {
	const fixed, random = 20, 400
	dir := t.TempDir()
	out := runPHP(t, "export.php", dir, "20260131", strconv.Itoa(random))
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != fixed+random {
		t.Fatalf("php wrote %d values, want %d", len(lines), fixed+random)
	}
	for _, line := range lines {
		name, seen, _ := strings.Cut(line, "\t")
		text, err := os.ReadFile(filepath.Join(dir, name+".php"))
		if err != nil {
			t.Fatal(err)
		}
		value, err := php.Parse(text, 128)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if got := described(t, value); got != seen {
			t.Errorf("%s: parsed as\n%s\nphp includes\n%s", name, got, seen)
		}
		if printed := php.Print(value); !bytes.Equal(printed, text) {
			t.Errorf("%s: printed as\n%q\nphp wrote\n%q", name, printed, text)
		}
	}
}

// described renders a value as describe.php does.
func described(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(describe(value))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "/", `\/`)
}

func describe(value any) []any {
	switch value := value.(type) {
	case nil:
		return []any{"n"}
	case bool:
		return []any{"b", value}
	case int64:
		return []any{"i", strconv.FormatInt(value, 10)}
	case float64:
		if math.IsNaN(value) {
			return []any{"f", "nan"}
		}
		return []any{"f", fmt.Sprintf("%016x", math.Float64bits(value))}
	case string:
		return []any{"s", hex.EncodeToString([]byte(value))}
	case *php.Array:
		return []any{"a", describeEntries(value, false)}
	case *php.Object:
		return []any{"o", value.Class, describeEntries(&value.Array, true)}
	case php.EnumCase:
		return []any{"e", value.Class, value.Name}
	default:
		panic(fmt.Sprintf("no description for %T", value))
	}
}

func describeEntries(a *php.Array, textKeys bool) []any {
	rows := []any{}
	for _, entry := range a.Entries {
		named := []any{"s", hex.EncodeToString([]byte(entry.Key.String()))}
		if entry.Key.IsInt && !textKeys {
			named = []any{"i", entry.Key.String()}
		}
		rows = append(rows, []any{named, describe(entry.Value)})
	}
	return rows
}

// phpFields is what fields.php prints; names that may hold any byte are in hex.
type phpFields struct {
	Kind         string   `json:"kind"`
	Name         string   `json:"name"`
	Hash         string   `json:"hash"`
	IssuedAt     int64    `json:"issued_at"`
	Limit        int64    `json:"limit"` // Seconds.
	Services     []string `json:"services"`
	Permissions  []string `json:"permissions"`
	DomainName   string   `json:"domain_name"`
	DomainUUID   string   `json:"domain_uuid"`
	UserUUID     string   `json:"user_uuid"`
	UserName     string   `json:"user_name"`
	Extensions   []string `json:"extensions"`
	ServiceName  string   `json:"service_name"`
	ServiceClass string   `json:"service_class"`
}

func fieldsOf(t *Token) phpFields {
	seconds := int64(0)
	if !t.IssuedAt.IsZero() {
		seconds = t.IssuedAt.Unix()
	}
	return phpFields{
		Kind: t.Kind.String(), Name: t.Name, Hash: t.Hash,
		IssuedAt: seconds, Limit: int64(t.Limit / time.Second),
		Services: append([]string{}, t.Services...), Permissions: append([]string{}, t.Permissions...),
		DomainName: hex.EncodeToString([]byte(t.DomainName)), DomainUUID: t.DomainUUID,
		UserUUID: t.UserUUID, UserName: hex.EncodeToString([]byte(t.UserName)),
		Extensions:  append([]string{}, t.Extensions...),
		ServiceName: t.ServiceName, ServiceClass: t.ServiceClass,
	}
}

// TestPHPSeesTheSameToken compares the tokens of testdata with what PHP finds in
// them.
func TestPHPSeesTheSameToken(t *testing.T) {
	paths := vectorPaths(t, "good_*.php")
	lines := bytes.Split(bytes.TrimSpace(runPHP(t, "fields.php", paths...)), []byte("\n"))
	if len(lines) != len(paths) {
		t.Fatalf("php read %d files, want %d", len(lines), len(paths))
	}
	for i, path := range paths {
		var want phpFields
		if err := json.Unmarshal(lines[i], &want); err != nil {
			t.Fatal(err)
		}
		if got := fieldsOf(decodeVector(t, path)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", filepath.Base(path), got, want)
		}
	}
}

// TestPHPWouldHaveWrittenOurTokens wants the files we create to be byte for
// byte what var_export makes of them.
func TestPHPWouldHaveWrittenOurTokens(t *testing.T) {
	odd := "O'Brien \\ \"Zo\u00eb\"\n<?php ?>\x00\r\n"
	tests := []struct {
		name string
		spec Spec
	}{
		{"empty user", Spec{Kind: User}},
		{"user", Spec{Services: []string{"active.calls"}, Permissions: []string{"b", "a", "17"}, DomainName: "a.example.com",
			DomainUUID: "u", UserName: "alice", Extensions: []string{"1001@a.example.com", "1002@a.example.com"}, Limit: 30 * time.Minute}},
		{"odd texts", Spec{Services: []string{odd}, Permissions: []string{odd, "-5", "007"}, DomainName: odd, UserName: odd, Extensions: []string{"1@" + odd}}},
		{"service", Spec{ServiceName: "active.calls", ServiceClass: "active_calls_service"}},
		{"service with all", Spec{ServiceName: odd, ServiceClass: odd, Services: []string{"a"}, Permissions: []string{"p"}, DomainName: "d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, path, err := Create(t.TempDir(), test.spec, PHP)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if theirs := runPHP(t, "reexport.php", path); !bytes.Equal(ours, theirs) {
				t.Errorf("ours\n%s\ntheirs\n%s", ours, theirs)
			}
			var want phpFields
			if err := json.Unmarshal(runPHP(t, "fields.php", path), &want); err != nil {
				t.Fatal(err)
			}
			if got := fieldsOf(token); !reflect.DeepEqual(got, want) {
				t.Errorf("we mean\n%+v\nphp sees\n%+v", got, want)
			}
		})
	}
}
