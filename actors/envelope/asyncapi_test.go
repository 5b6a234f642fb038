package envelope

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// asyncAPI is docs/asyncapi.yaml.
type asyncAPI struct {
	Channels   map[string]struct{ Messages map[string]any }
	Operations map[string]any
	Components struct {
		Messages map[string]struct {
			Examples []struct {
				Name    string
				Payload any
			}
		}
		Schemas map[string]struct {
			Required   []string
			Properties map[string]any
		}
	}
	compiler *jsonschema.Compiler
	text     string
}

func readAsyncAPI(t *testing.T) *asyncAPI {
	t.Helper()
	data, err := os.ReadFile("../../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page := &asyncAPI{compiler: jsonschema.NewCompiler(), text: string(data)}
	var document any
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, page); err != nil {
		t.Fatal(err)
	}
	page.compiler.DefaultDraft(jsonschema.Draft7) // that of AsyncAPI's own schemas
	if err := page.compiler.AddResource("asyncapi.yaml", plainJSON(t, document)); err != nil {
		t.Fatal(err)
	}
	return page
}

// plainJSON returns a value as a decoder of JSON would.
func plainJSON(t *testing.T, value any) any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// schema returns the schema at a place in the page.
func (page *asyncAPI) schema(t *testing.T, place string) *jsonschema.Schema {
	t.Helper()
	schema, err := page.compiler.Compile("asyncapi.yaml#/components/" + place)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func (page *asyncAPI) message(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	return page.schema(t, "messages/"+name+"/payload")
}

// addedKeys are those that the router adds for clients that asked for positions, gaps or who watches. They come after the envelope's.
var addedKeys = []string{"epoch", "offset", "gap", "presence"}

// TestAsyncAPIExamples has the envelope's decoder read each example, and the schema of its message judge it. An example of what
// the router sends is what Append makes of it.
func TestAsyncAPIExamples(t *testing.T) {
	page := readAsyncAPI(t)
	envelope := page.schema(t, "schemas/envelope")
	examples, sent := 0, 0
	for name, message := range page.Components.Messages {
		for _, example := range message.Examples {
			examples++
			payload := plainJSON(t, example.Payload)
			if err := page.message(t, name).Validate(payload); err != nil {
				t.Errorf("%s: %s: %v", name, example.Name, err)
			}
			text, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			decoded := mustDecode(t, string(text))
			if decoded.Authentication != (name == "authenticate" || name == "leaving") {
				t.Errorf("%s: %s: authentication is %v", name, example.Name, decoded.Authentication)
			}
			written, err := jsonschema.UnmarshalJSON(bytes.NewReader(decoded.Append(nil)))
			if err != nil {
				t.Fatal(err)
			}
			if envelope.Validate(payload) != nil {
				continue
			}
			sent++
			for _, key := range addedKeys {
				delete(payload.(map[string]any), key)
			}
			if got, want := mustMarshal(t, written), mustMarshal(t, payload); got != want {
				t.Errorf("%s: %s: the router writes %s, the page has %s", name, example.Name, got, want)
			}
		}
	}
	if examples < 8 || sent < 3 {
		t.Errorf("%d examples, %d of them sent by the router: is the reading wrong?", examples, sent)
	}
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value) // keys are sorted
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAsyncAPIHasEveryStatus wants each answer of the router's own to fit the message of its name and no other.
func TestAsyncAPIHasEveryStatus(t *testing.T) {
	page := readAsyncAPI(t)
	asked := mustDecode(t, `{"service":"weather","topic":"today","request_id":7,"payload":{}}`)
	question := mustDecode(t, `{"service":"strowger","topic":"offered","request_id":7,"payload":{"service":"weather"}}`)
	schemas := map[string]*jsonschema.Schema{}
	for name := range statuses {
		message := strings.ToLower(name[:1]) + name[1:]
		if _, found := page.Components.Messages[message]; !found {
			t.Fatalf("the page has no message %s", message)
		}
		schemas[name] = page.message(t, message)
	}
	for name, status := range statuses {
		answer := status.Answer(&asked.Envelope)
		if name == "Offered" {
			answer = status.Answer(&question.Envelope)
			answer.Payload = Raw(`{"offered":true}`)
		}
		text, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer.Append(nil)))
		if err != nil {
			t.Fatal(err)
		}
		for other, schema := range schemas {
			if err := schema.Validate(text); (err == nil) != (other == name) {
				t.Errorf("the answer %s as a message %s: %v", name, other, err)
			}
		}
	}
	codes := regexp.MustCompile(`status_code: \{const: [0-9]+\}`).FindAllString(page.text, -1)
	if want := len(statuses) + 1; len(codes) != want { // a fresh ticket is no answer
		t.Errorf("the page has %d status codes, the router sends %d", len(codes), want)
	}
}

// TestAsyncAPIHasEveryKey compares the keys of the page with those of the envelope.
func TestAsyncAPIHasEveryKey(t *testing.T) {
	page := readAsyncAPI(t)
	sent, received := page.Components.Schemas["envelope"], page.Components.Schemas["incoming"]
	var keys, spellings []string
	for _, key := range envelopeKeys {
		keys = append(keys, key.name)
		spellings = append(spellings, key.name)
		if alias, _, _ := strings.Cut(key.alias, "."); alias != "" && !slices.Contains(spellings, alias) {
			spellings = append(spellings, alias)
		}
	}
	if !slices.Equal(sent.Required, keys) {
		t.Errorf("the page says that the router sends %q, want %q", sent.Required, keys)
	}
	for _, key := range slices.Concat(keys, addedKeys) {
		if _, found := sent.Properties[key]; !found {
			t.Errorf("the page does not describe %s as it is sent", key)
		}
	}
	for _, key := range spellings {
		if _, found := received.Properties[key]; !found {
			t.Errorf("the page does not describe %s as it is received", key)
		}
	}
	if len(received.Properties) != len(spellings) || len(sent.Properties) != len(keys)+len(addedKeys) {
		t.Errorf("the page has %d and %d keys, want %d and %d", len(sent.Properties), len(received.Properties), len(keys)+len(addedKeys), len(spellings))
	}
}

// TestAsyncAPIFitsConversations has the schema of what the router sends judge all that it sends in testdata/conformance.
func TestAsyncAPIFitsConversations(t *testing.T) {
	envelope := readAsyncAPI(t).schema(t, "schemas/envelope")
	files, err := filepath.Glob("../../testdata/conformance/want/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			_, text, found := strings.Cut(line, " <- text ")
			if !found {
				continue
			}
			sent++
			message, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Errorf("%s: %v: %s", filepath.Base(file), err, text)
				continue
			}
			if err := envelope.Validate(message); err != nil {
				t.Errorf("%s: %v: %s", filepath.Base(file), err, text)
			}
		}
	}
	if sent < 200 {
		t.Errorf("%d messages: is the reading wrong?", sent)
	}
}

// TestAsyncAPIFitsTheProtocol takes the messages and payloads in docs/protocol.md from section 13 on. Each is what one message of
// the page says it is, and no other.
func TestAsyncAPIFitsTheProtocol(t *testing.T) {
	page := readAsyncAPI(t)
	data, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(data), "\n## 13. ")
	if !found {
		t.Fatal("docs/protocol.md has no section 13")
	}
	token := strings.NewReplacer(`{"name":"N","hash":"H"}`, `{"name":"`+strings.Repeat("n", 64)+`","hash":"`+strings.Repeat("h", 64)+`"}`)
	times := map[string]int{}
	for _, block := range regexp.MustCompile("(?ms)^```json\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		said := token.Replace(block[1])
		messages := map[string]string{"authenticate": said, "broadcast": said, "gap": said, "ticket": said}
		if !strings.Contains(said, `"service`) { // the payload of a message
			messages = map[string]string{
				"authenticate":  `{"service":"authentication","token":{"name":"jwt","hash":"a"},"payload":` + said + `}`,
				"authenticated": string(Authenticated.Answer(&Envelope{Topic: Raw(`""`), ServiceName: Raw(`"authentication"`)}).Append(nil)),
			}
			messages["authenticated"] = strings.Replace(messages["authenticated"], `"payload":null`, `"payload":`+said, 1)
		}
		fits := ""
		for name, message := range messages {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(message))
			if err != nil {
				t.Fatalf("%v: %s", err, message)
			}
			if page.message(t, name).Validate(value) == nil {
				fits += name
			}
		}
		times[fits]++
		if _, found := page.Components.Messages[fits]; !found {
			t.Errorf("this is no message, or several %q: %s", fits, block[1])
		}
	}
	for name, least := range map[string]int{"authenticate": 3, "authenticated": 3, "broadcast": 1, "gap": 1, "ticket": 1} {
		if times[name] < least {
			t.Errorf("docs/protocol.md has %d of %s, want %d", times[name], name, least)
		}
	}
}

// TestAsyncAPIReferences wants every reference to lead somewhere, each message to be in an operation, and each schema in use.
func TestAsyncAPIReferences(t *testing.T) {
	page := readAsyncAPI(t)
	for _, match := range regexp.MustCompile(`\$ref: "([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		if _, err := page.compiler.Compile("asyncapi.yaml" + match[1]); err != nil && !strings.Contains(match[1], "securitySchemes") {
			t.Errorf("%s: %v", match[1], err)
		}
	}
	for name := range page.Components.Messages {
		if _, found := page.Channels["connection"].Messages[name]; !found {
			t.Errorf("the channel lacks the message %s", name)
		}
		if !strings.Contains(page.text, `- $ref: "#/channels/connection/messages/`+name+`"`) {
			t.Errorf("no operation has the message %s", name)
		}
	}
	for name := range page.Components.Schemas {
		if !strings.Contains(page.text, `"#/components/schemas/`+name+`"`) {
			t.Errorf("nothing has the schema %s", name)
		}
	}
	if len(page.Components.Messages) != len(page.Channels["connection"].Messages) || len(page.Operations) < 8 {
		t.Errorf("%d messages, %d in the channel, %d operations", len(page.Components.Messages), len(page.Channels["connection"].Messages), len(page.Operations))
	}
}
