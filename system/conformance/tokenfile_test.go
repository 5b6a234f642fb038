package conformance

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tokenSpec says what a token grants.
type tokenSpec struct {
	Kind         string         `json:"kind"` // user or service; unused with a body
	Services     []string       `json:"services"`
	Permissions  []string       `json:"permissions"`
	DomainName   *string        `json:"domain_name"`
	DomainUUID   *string        `json:"domain_uuid"`
	User         map[string]any `json:"user"`  // more fields of the session's user
	Limit        int            `json:"limit"` // minutes
	Age          int            `json:"age"`   // seconds since the token was made
	ServiceName  string         `json:"service_name"`
	ServiceClass string         `json:"service_class"`
	Body         string         `json:"body"` // the file's whole text instead
}

// What the recorded tokens have where a scenario does not say.
const (
	labDomainName = "lab.example.com"
	labDomainUUID = "11111111-2222-3333-4444-555555555555"
)

// token is one that was written for the daemon to find.
type token struct{ name, hash, file string }

// writeToken writes the token file of spec into dir as PHP pages and services do (protocol 4.3).
func writeToken(dir string, spec tokenSpec, now time.Time) (token, error) {
	tk := token{name: randomHex(), hash: randomHex()}
	tk.file = filepath.Join(dir, tk.name+".php")
	body := spec.Body
	if body == "" {
		content, err := spec.content(tk, now)
		if err != nil {
			return token{}, err
		}
		body = "<?php\nreturn " + varExport(content, "") + ";\n"
	}
	return tk, os.WriteFile(tk.file, []byte(body), 0o644)
}

// content is the array in a token file, in the order of protocol 4.5 and 4.6.
func (spec tokenSpec) content(tk token, now time.Time) (pairs, error) {
	issued := now.Add(-time.Duration(spec.Age) * time.Second).Unix()
	identity := pair{"token", pairs{
		{"name", tk.name}, {"hash", tk.hash}, {"time", strconv.FormatInt(issued, 10)}, {"limit", spec.Limit},
	}}
	switch spec.Kind {
	case "user":
		return pairs{
			{"user", spec.user()}, {"options", pairs{}}, {"services", phpList(spec.Services)}, identity,
			{"domain", pairs{{"name", or(spec.DomainName, labDomainName)}, {"uuid", or(spec.DomainUUID, labDomainUUID)}}},
		}, nil
	case "service":
		var subscribed pairs
		if spec.Services != nil {
			subscribed = pairs{{"services", phpList(spec.Services)}}
		}
		return append(subscribed, identity, pair{"service", true},
			pair{"service_name", spec.ServiceName}, pair{"service_class", spec.ServiceClass}), nil
	default:
		return nil, fmt.Errorf("token of kind %q: want user or service", spec.Kind)
	}
}

// user is the session's user: his permissions, and a home domain which must count for nothing
// (protocol 4.9).
func (spec tokenSpec) user() pairs {
	permissions := pairs{}
	for _, name := range spec.Permissions {
		permissions = append(permissions, pair{name, true})
	}
	user := pairs{{"domain_name", "home.example.com"}, {"username", "lab"}, {"permissions", permissions}}
	for _, key := range slices.Sorted(maps.Keys(spec.User)) {
		user = append(user, pair{key, spec.User[key]})
	}
	return user
}

func or(value *string, fallback string) string {
	if value == nil {
		return fallback
	}
	return *value
}

func randomHex() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// pairs is a PHP array in its order. A key is a string or an int.
type (
	pairs []pair
	pair  struct{ key, value any }
)

func phpList[T any](list []T) pairs {
	array := pairs{}
	for i, value := range list {
		array = append(array, pair{i, value})
	}
	return array
}

// varExport writes value as PHP's var_export does (protocol 4.4). indent stands before every line
// but the first.
func varExport(value any, indent string) string {
	switch value := value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strconv.FormatBool(value)
	case int:
		return strconv.Itoa(value)
	case float64: // JSON has no other number
		return strconv.FormatFloat(value, 'f', -1, 64)
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `' . "\0" . '`).Replace(value) + "'"
	case []any:
		return varExport(phpList(value), indent)
	case map[string]any:
		var array pairs
		for _, key := range slices.Sorted(maps.Keys(value)) {
			array = append(array, pair{key, value[key]})
		}
		return varExport(array, indent)
	case pairs:
		return exportArray(value, indent)
	default:
		panic(fmt.Sprintf("no PHP form for %T", value))
	}
}

func exportArray(array pairs, indent string) string {
	var out strings.Builder
	out.WriteString("array (\n")
	for _, element := range array {
		out.WriteString(indent + "  " + varExport(element.key, "") + " => ")
		switch element.value.(type) {
		case pairs, []any, map[string]any:
			out.WriteString("\n" + indent + "  ")
		}
		out.WriteString(varExport(element.value, indent+"  ") + ",\n")
	}
	out.WriteString(indent + ")")
	return out.String()
}

func TestWriteServiceToken(t *testing.T) {
	now := time.Unix(1795470863, 0)
	spec := tokenSpec{Kind: "service", ServiceName: "active.calls", ServiceClass: "active_calls_service", Age: 30}
	want := `<?php
return array (
  'token' => 
  array (
    'name' => 'NAME',
    'hash' => 'HASH',
    'time' => '1795470833',
    'limit' => 0,
  ),
  'service' => true,
  'service_name' => 'active.calls',
  'service_class' => 'active_calls_service',
);
`
	checkTokenFile(t, spec, now, want)
}

func TestWriteUserToken(t *testing.T) {
	empty := ""
	spec := tokenSpec{
		Kind: "user", Services: []string{"a", "b"}, Permissions: []string{"p"}, DomainName: &empty, Limit: 1,
		User: map[string]any{"extension": []any{map[string]any{"user": "1001", "note": "it's a \\"}}, "contact": nil},
	}
	want := `<?php
return array (
  'user' => 
  array (
    'domain_name' => 'home.example.com',
    'username' => 'lab',
    'permissions' => 
    array (
      'p' => true,
    ),
    'contact' => NULL,
    'extension' => 
    array (
      0 => 
      array (
        'note' => 'it\'s a \\',
        'user' => '1001',
      ),
    ),
  ),
  'options' => 
  array (
  ),
  'services' => 
  array (
    0 => 'a',
    1 => 'b',
  ),
  'token' => 
  array (
    'name' => 'NAME',
    'hash' => 'HASH',
    'time' => '1795470863',
    'limit' => 1,
  ),
  'domain' => 
  array (
    'name' => '',
    'uuid' => '` + labDomainUUID + `',
  ),
);
`
	checkTokenFile(t, spec, time.Unix(1795470863, 0), want)
}

func TestWriteTokenBody(t *testing.T) {
	checkTokenFile(t, tokenSpec{Body: "<?php exit(0);\n"}, time.Now(), "<?php exit(0);\n")
}

// checkTokenFile writes spec's token; NAME and HASH in want stand for the drawn ones.
func checkTokenFile(t *testing.T, spec tokenSpec, now time.Time, want string) {
	t.Helper()
	tk, err := writeToken(t.TempDir(), spec, now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(tk.file)
	if err != nil {
		t.Fatal(err)
	}
	want = strings.NewReplacer("NAME", tk.name, "HASH", tk.hash).Replace(want)
	if string(got) != want {
		t.Errorf("token file is\n%s\nwant\n%s", got, want)
	}
}

func TestWriteTokenRefusesUnknownKind(t *testing.T) {
	if tk, err := writeToken(t.TempDir(), tokenSpec{Kind: "robot"}, time.Now()); err == nil {
		t.Fatalf("wrote %+v", tk)
	}
}
