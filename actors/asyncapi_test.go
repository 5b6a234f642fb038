package actors

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"strowger/actors/envelope"
)

// described has the schemas of docs/asyncapi.yaml judge messages.
func described(t *testing.T) func(m *envelope.Message, name string) {
	t.Helper()
	text, err := os.ReadFile("../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(document); err != nil {
		t.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	if err := compiler.AddResource("asyncapi.yaml", plain); err != nil {
		t.Fatal(err)
	}
	return func(m *envelope.Message, name string) {
		t.Helper()
		schema, err := compiler.Compile("asyncapi.yaml#/components/messages/" + name + "/payload")
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.Append(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s is not as docs/asyncapi.yaml has it: %v", line(m), err)
		}
	}
}

// TestAsyncAPIHasEveryWish asks for all that a client may ask for, in all ways, and has the page judge the answers.
func TestAsyncAPIHasEveryWish(t *testing.T) {
	judge := described(t)
	wishes := []string{`"resume":true`, `"gaps":true`, `"history":{"s":{"epoch":"e","offset":1},"x":null}`, `"filters":{"s":{"topics":["a"]},"x":{"keys":{"k":[1,"a",true,null]}},"y":{}}`}
	for chosen := range 1 << len(wishes) {
		w, _ := newSessions(t)
		payload := ""
		for i, wish := range wishes {
			if chosen&(1<<i) != 0 {
				payload += "," + wish
			}
		}
		p := w.greeted()
		p.writef(`{"service":"authentication","token":{"name":%q,"hash":"hash"},"payload":{%s}}`, w.token(&Credentials{Role: Client, Services: []string{"s"}}),
			payload[min(1, len(payload)):])
		m := p.next()
		judge(m, "authenticated")
		if given := string(m.Payload); (given == "null") != (chosen == 0) {
			t.Errorf("%s is answered by %s", payload, given)
		}
	}
}

// TestAsyncAPIHasTheTicket has the page judge a fresh ticket.
func TestAsyncAPIHasTheTicket(t *testing.T) {
	judge := described(t)
	w, _ := newSessions(t)
	p := w.greeted()
	p.asks(w.token(&Credentials{Role: Client}))
	p.gets(gives("ticket1", false))
	w.clock.Advance(5 * time.Minute)
	m := p.next()
	judge(m, "ticket")
	if want := `200 authentication/ticket #"" {"ticket":"ticket2","lifetime":600}`; line(m) != want {
		t.Errorf("got %s, want %s", line(m), want)
	}
}
