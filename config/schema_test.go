package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"strowger/config/policy"
)

const schemaFile = "schema.json"

// TestSchema fails when schema.json is not what keys.go and package policy say;
// `go test ./config -run TestSchema -update` writes it anew.
func TestSchema(t *testing.T) {
	want := makeSchema(t)
	if got := []byte(Schema()); bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date, run: go test ./config -run TestSchema -update", schemaFile)
	}
	if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// makeSchema writes the schema of the file of settings.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	root := sectionSchema()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Settings of strowger"
	for _, k := range keys() {
		section := root
		names := strings.Split(k.name, ".")
		for _, name := range names[:len(names)-1] {
			properties := section["properties"].(schema)
			if properties[name] == nil {
				properties[name] = sectionSchema()
			}
			section = properties[name].(schema)
		}
		section["properties"].(schema)[names[len(names)-1]] = k.schema(t)
	}
	root["properties"].(schema)[policiesKey] = schema{
		"description":          policiesDoc + " " + onReload.String() + ".",
		"type":                 []string{"object", "null"},
		"propertyNames":        schema{"minLength": 1},
		"additionalProperties": schema{"$ref": "#/$defs/policy"},
	}
	root["$defs"] = policySchemas(t)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sectionSchema is that of a section without keys. A section that has no value is as good as none.
func sectionSchema() schema {
	return schema{"type": []string{"object", "null"}, "additionalProperties": false, "properties": schema{}}
}

// schema returns what the schema says of one key.
func (k key) schema(t *testing.T) schema {
	t.Helper()
	if k.rule.schema == nil {
		t.Fatalf("the rule of %s has no schema", k.name)
	}
	s := schema{"description": fmt.Sprintf("%s Allowed: %s. %s.", k.doc, k.rule.text, k.apply), "default": k.def}
	switch def := k.def.(type) {
	case Size, time.Duration:
		s["default"] = format(def)
	}
	for name, value := range k.rule.schema {
		s[name] = value
	}
	return s
}

// policySchemas are those of the rules of a policy. What the source says of a rule describes it.
func policySchemas(t *testing.T) schema {
	t.Helper()
	docs := fieldDocs(t, filepath.Join("policy", "policy.go"))
	maps.Copy(docs, fieldDocs(t, filepath.Join("policy", "history.go")))
	defs := schema{
		// YAML takes some names for a number when they are not quoted.
		"names":       schema{"type": "array", "minItems": 1, "uniqueItems": true, "items": schema{"type": []string{"string", "number"}, "minLength": 1}},
		"permissions": schema{"type": []string{"object", "null"}, "additionalProperties": schema{"$ref": "#/$defs/names"}},
	}
	for _, of := range []reflect.Type{reflect.TypeFor[policy.Policy](), reflect.TypeFor[policy.Scope](), reflect.TypeFor[policy.Absent](), reflect.TypeFor[policy.History]()} {
		properties, required := schema{}, []string{}
		for i := range of.NumField() {
			field := of.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			s := fieldSchema(t, field.Type)
			s["description"] = docs[of.Name()+"."+field.Name]
			if s["description"] == "" {
				t.Errorf("%s.%s has no comment", of, field.Name)
			}
			properties[name] = s
			if !strings.Contains(options, "omitempty") {
				required = append(required, name)
			}
		}
		def := schema{"type": "object", "additionalProperties": false, "properties": properties}
		switch {
		case len(required) > 0:
			def["required"] = required
		case of == reflect.TypeFor[policy.Absent]():
			def["type"] = []string{"object", "null"}
		default:
			def["minProperties"] = 1
		}
		defs[strings.ToLower(of.Name())] = def
	}
	return defs
}

func fieldSchema(t *testing.T, of reflect.Type) schema {
	t.Helper()
	switch of {
	case reflect.TypeFor[[]string]():
		return schema{"$ref": "#/$defs/names"}
	case reflect.TypeFor[map[string][]string]():
		return schema{"$ref": "#/$defs/permissions"}
	case reflect.TypeFor[[]policy.Scope]():
		return schema{"type": "array", "minItems": 1, "items": schema{"$ref": "#/$defs/scope"}}
	case reflect.TypeFor[policy.Absent]():
		return schema{"$ref": "#/$defs/absent"}
	case reflect.TypeFor[policy.History]():
		return schema{"$ref": "#/$defs/history"}
	case reflect.TypeFor[int]():
		// A text may have a unit.
		return schema{"anyOf": []schema{{"type": "integer", "minimum": 1}, patternSchema(`^[1-9][0-9]*( ?(KiB|MiB|GiB))?$`)}}
	case reflect.TypeFor[time.Duration]():
		return numberSchema(time.Nanosecond, time.Hour)
	case reflect.TypeFor[policy.Slow]():
		return schema{"enum": []policy.Slow{policy.Disconnect, policy.DropOldest, policy.Coalesce}}
	case reflect.TypeFor[policy.Reach]():
		return schema{"enum": []policy.Reach{policy.All, policy.Domain, policy.Extensions, policy.None}}
	case reflect.TypeFor[string]():
		return schema{"type": []string{"string", "number"}}
	case reflect.TypeFor[bool]():
		return schema{"type": "boolean"}
	}
	t.Fatalf("no rule has values of type %s", of)
	return nil
}

// fieldDocs returns the comments on the fields of the structs in a file, by Type.Field. The comments name fields as Go does;
// what is returned names them as YAML does.
func fieldDocs(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	var names []string // pairs of a field's name and its name in YAML
	ast.Inspect(parsed, func(node ast.Node) bool {
		of, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if fields, ok := of.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				tag := regexp.MustCompile(`yaml:"([a-z_]+)`).FindStringSubmatch(field.Tag.Value)
				names = append(names, field.Names[0].Name, tag[1])
				docs[of.Name.Name+"."+field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
			}
		}
		return false
	})
	for at, doc := range docs {
		for i := 0; i < len(names); i += 2 {
			doc = regexp.MustCompile(`\b`+names[i]+`\b`).ReplaceAllString(doc, names[i+1])
		}
		docs[at] = doc
	}
	return docs
}

// compileSchema returns the schema as a validator understands it.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaFile, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate has the schema judge a file of settings, as an editor does.
func validate(compiled *jsonschema.Schema, text string) error {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return err
	}
	data, err := json.Marshal(named(document))
	if err != nil {
		return err
	}
	if document, err = jsonschema.UnmarshalJSON(bytes.NewReader(data)); err != nil {
		return err
	}
	return compiled.Validate(document)
}

// named returns a document whose names are all texts, as editors and the daemon read them.
func named(node any) any {
	switch node := node.(type) {
	case map[any]any:
		names := map[string]any{}
		for name, value := range node {
			names[fmt.Sprint(name)] = named(value)
		}
		return names
	case map[string]any:
		for name, value := range node {
			node[name] = named(value)
		}
	case []any:
		for i, item := range node {
			node[i] = named(item)
		}
	}
	return node
}

// TestSchemaTakesDefaults has the schema judge the file that names every setting with its default.
func TestSchemaTakesDefaults(t *testing.T) {
	var file strings.Builder
	if err := WriteDefaults(&file); err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`(?m)^  #([a-z_]+:)`).ReplaceAllString(file.String(), "  $1")
	set = strings.ReplaceAll(set, "\n#policies:", "\npolicies:")
	if found := strings.Count(set, "\n  "); found < len(keys()) {
		t.Fatalf("%d settings, want %d", found, len(keys()))
	}
	compiled := compileSchema(t)
	for name, text := range map[string]string{
		"as printed":   file.String(),
		"all set":      set,
		"builtin":      "policies:\n  " + strings.ReplaceAll(policy.BuiltinYAML(), "\n", "\n  "),
		"nothing":      "",
		"empty policy": "policies:\nlisten:\n",
	} {
		if err := validate(compiled, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is set in the file must be what the table has, or the test above tells nothing.
	var sections map[string]any
	if err := yaml.Unmarshal([]byte(set), &sections); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys() {
		var at any = sections
		for name := range strings.SplitSeq(k.name, ".") {
			inside, _ := at.(map[string]any)
			at = inside[name]
		}
		if at == nil {
			t.Errorf("%s is not set", k.name)
		}
	}
}

// TestSchemaTakesExamples has the schema judge all settings in the documentation and in the examples.
func TestSchemaTakesExamples(t *testing.T) {
	compiled := compileSchema(t)
	examples := 0
	for _, file := range exampleFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{string(data)}
		if filepath.Ext(file) == ".md" {
			texts = nil
			for _, match := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(data), -1) {
				texts = append(texts, match[1])
			}
		}
		for _, text := range texts {
			examples++
			// A page shows the form of a hash, and none that somebody could copy.
			text = strings.ReplaceAll(text, "p=1$...", "p=1$"+strings.Repeat("a", 22)+"$"+strings.Repeat("b", 43))
			if err := validate(compiled, text); err != nil {
				t.Errorf("%s: %v\n%s", file, err, text)
			}
		}
	}
	if examples < 15 {
		t.Errorf("%d examples: is the reading wrong?", examples)
	}
}

// exampleFiles returns the pages, and the files of settings in the examples and in the package.
func exampleFiles(t *testing.T) []string {
	t.Helper()
	files := []string{filepath.Join("..", "README.md"), filepath.Join("..", "deploy", "package", "strowger.yaml")}
	for _, dir := range []string{"docs", "examples"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, entry fs.DirEntry, err error) error {
			if extension := filepath.Ext(path); extension == ".md" || extension == ".yaml" && dir == "examples" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestSchemaAgrees wants the schema and the daemon to judge alike, where a schema can.
func TestSchemaAgrees(t *testing.T) {
	compiled := compileSchema(t)
	for _, test := range []struct {
		text string
		good bool
	}{
		{"limits: {connections: 100}", true},
		{"limits: {connections: 0}", false},
		{"limits: {connections: 1000001}", false},
		{"limits: {connections: many}", false},
		{"limits: {connection: 100}", false},
		{"limit: {connections: 100}", false},
		{"limits: [100]", false},
		{"limits.connections: 100", false},
		{"limits: {client_bytes: 2MiB}", true},
		{"limits: {client_bytes: 2 MiB}", true},
		{"limits: {client_bytes: 65536}", true},
		{"limits: {client_bytes: 1}", false},
		{"limits: {client_bytes: 2MB}", false},
		{"limits: {client_bytes: 1.5MiB}", false},
		{"limits: {write_timeout: 1m30s}", true},
		{"limits: {write_timeout: 1.5m}", true},
		{"limits: {write_timeout: 30}", false},
		{"limits: {write_timeout: 30 s}", false},
		{"keepalive: {ping_interval: 0s}", true},
		{"keepalive: {ping_interval: 0}", false},
		{"listen: {address: \"[::1]:8080\"}", true},
		{"listen: {address: localhost}", false},
		{"listen: {origins: [pbx.example.com, https://b.example.com, \"*\"]}", true},
		{"listen: {origins: pbx.example.com}", false},
		{"listen: {origins: [\"\"]}", false},
		{"listen: {trusted_proxies: [127.0.0.1, \"fd00::/8\"]}", true},
		{"listen: {trusted_proxies: [proxy]}", false},
		{"routing: {unknown_service: 404}", true},
		{"routing: {unknown_service: \"404\"}", true},
		{"routing: {unknown_service: 405}", false},
		{"routing: {unsolicited_replies: true}", true},
		{"routing: {unsolicited_replies: perhaps}", false},
		{"tokens: {owners: [33, www-data]}", true},
		{"tokens: {owners: [a b]}", false},
		{"services: {classes: ['app\\weather_service']}", true},
		{"services: {classes: [weather-service]}", false},
		{"tokens: {directory: tokens}", false},
		{"admin: {address: \"\"}", true},
		{"admin: {address: admin}", false},
		{"admin: {password_hash: secret}", false},
		{"policies: {weather: {scopes: [{to: all}]}}", true},
		{"policies: {weather: {scopes: [{to: everybody}]}}", false},
		{"policies: {weather: {scopes: [{permission: a}]}}", false},
		{"policies: {weather: {scopes: []}}", false},
		{"policies: {weather: {}}", false},
		{"policies: {weather: {require: [a, a]}}", false},
		{"policies: {weather: {require: a}}", false},
		{"policies: {weather: {requires: [a]}}", false},
		{"policies: {weather: {require: [a], history: {messages: 10, bytes: 64KiB, age: 1m}}}", true},
		{"policies: {weather: {require: [a], history: {bytes: 1000}}}", true},
		{"policies: {weather: {require: [a], history: {messages: 0}}}", false},
		{"policies: {weather: {require: [a], history: {age: 10}}}", false},
		{"policies: {weather: {require: [a], history: {}}}", false},
		{"policies: {weather: {require: [a], slow: disconnect}}", true},
		{"policies: {weather: {require: [a], slow: drop_oldest}}", true},
		{"policies: {weather: {require: [a], slow: coalesce, coalesce: [station]}}", true},
		{"policies: {weather: {require: [a], slow: never}}", false},
		{"policies: {weather: {require: [a], slow: coalesce, coalesce: []}}", false},
		{"policies: {weather: {requests: {today: [weather_view], 7: [weather_view]}}}", true},
		{"policies: {weather: {requests: {today: weather_view}}}", false},
		{"policies: {\"\": {require: [a]}}", false},
	} {
		_, loads := loadYAML(test.text)
		valid := validate(compiled, test.text)
		if (loads == nil) != test.good || (valid == nil) != test.good {
			t.Errorf("%s: good is %v, the daemon says %v, the schema %v", test.text, test.good, loads, valid)
		}
	}
}
