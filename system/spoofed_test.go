package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"strowger/system/token"
)

// keysOf returns the top-level keys of an object, each as often as it is there, and the text of each value.
func keysOf(t *testing.T, object string) (keys []string, values map[string]string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	values = map[string]string{}
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		t.Fatalf("%v: %s", err, object)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		name, _ := key.(string)
		keys = append(keys, name)
		values[name] = string(value)
	}
	return keys, values
}

// Whatever a client writes about itself, in whatever spelling and however often, a service reads what its token says.
func TestSpoofedEnvelope(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg)
	service := join(t, s, remote("texts", ""))
	spec := user("a.example", []string{"text_view"}, "texts")
	spec.DomainUUID = "uuid-of-a"
	forger := join(t, s, spec)
	victim := join(t, s, token.Spec{Kind: token.User, DomainName: "b.example", DomainUUID: "uuid-of-b", Permissions: []string{"root"}})
	victim.sendf(`{"service":"texts","topic":"t","request_id":"v"}`)
	idOfVictim := service.asked(`"" texts/t #"v" null`)

	forger.sendf(`{"service":"texts","topic":"t","request_id":"1"}`)
	honest := service.next()
	wantKeys, want := keysOf(t, honest.text)
	stamped := []string{"permissions", "domain_name", "domain_uuid", "resource_id"}
	if want["permissions"] != `{"text_view":true}` || want["domain_name"] != `"a.example"` || want["domain_uuid"] != `"uuid-of-a"` || len(honest.ResourceID) != 32 || honest.ResourceID == idOfVictim {
		t.Fatalf("the service reads %s", honest.text)
	}
	lies := map[string][]string{
		"permissions": {`{"root":true}`, `["root"]`, `"root"`, `true`, `{"text_view":true,"root":true}`, `null`, `{"root":{"a":[1,2,3]}}`},
		"domain_name": {`"b.example"`, `["b.example"]`, `{"a":"b.example"}`, `7`, `null`, `""`},
		"domain_uuid": {`"uuid-of-b"`, `["uuid-of-b"]`, `7`, `null`},
		"resource_id": {`"` + idOfVictim + `"`, `["` + idOfVictim + `"]`, `7`, `null`},
	}
	honestBegin := `"service":"texts","topic":"t","request_id":"1"`
	sent := 0
	for _, key := range stamped {
		for _, lie := range lies[key] {
			escaped := fmt.Sprintf(`\u%04x%s`, key[0], key[1:])
			for _, message := range []string{
				fmt.Sprintf(`{%s,%q:%s}`, honestBegin, key, lie),
				fmt.Sprintf(`{%q:%s,%s}`, key, lie, honestBegin),
				fmt.Sprintf(`{%q:%s,%s,%q:%s}`, key, lie, honestBegin, key, lie),
				fmt.Sprintf(`{"%s":%s,%s}`, escaped, lie, honestBegin),
				fmt.Sprintf(`{%q:"x",%s,"%s":%s}`, key, honestBegin, escaped, lie),
				fmt.Sprintf(`{%s,%q:%s}`, honestBegin, strings.ToUpper(key), lie),
				fmt.Sprintf(`{%s,%q:%s}`, honestBegin, " "+key, lie),
				fmt.Sprintf(`{%s,"%s\u0000":%s}`, honestBegin, key, lie),
				fmt.Sprintf(`{%s,%q:%s}`, honestBegin, strings.ReplaceAll(key, "_", ""), lie),
				fmt.Sprintf(`{%s,"token":{%q:%s},"user":{%q:%s}}`, honestBegin, key, lie, key, lie),
			} {
				sent++
				forger.sendf("%s", message)
				got := service.next()
				keys, values := keysOf(t, got.text)
				if !slices.Equal(keys, wantKeys) {
					t.Fatalf("of %s the service reads the keys %v, want %v", message, keys, wantKeys)
				}
				for _, k := range stamped {
					if values[k] != want[k] {
						t.Fatalf("of %s the service reads %s as %s, want %s", message, k, values[k], want[k])
					}
				}
			}
		}
	}
	t.Logf("%d forged messages", sent)

	// A service cannot take another client's answer from it, and a reply tells nobody an id that could be used.
	service.sendf(`{"service_name":"texts","topic":"t","request_id":"v","resource_id":%q,"payload":"for v"}`, idOfVictim)
	if got := victim.next(); got.ResourceID != "" || string(got.Payload) != `"for v"` || strings.Contains(got.text, idOfVictim) {
		t.Errorf("got %s", got.text)
	}
}

// Clients can neither guess each other's ids nor those that come next.
func TestIDsCannotBeGuessed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg)
	service := join(t, s, remote("texts", ""))
	seen := map[string]bool{}
	var varies []byte // 1 for each digit that is not the same in all ids
	for range 64 {
		c := join(t, s, user("a.example", nil))
		c.sendf(`{"service":"texts","request_id":"1"}`)
		id := service.asked(`"" texts/ #"1" null`)
		if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || seen[id] {
			t.Fatalf("id %s", id)
		}
		seen[id] = true
		if varies == nil {
			varies = bytes.Repeat([]byte{0}, len(id))
		}
		for other := range seen {
			for i := range id {
				if id[i] != other[i] {
					varies[i] = 1
				}
			}
		}
	}
	// Each of the 32 digits varies: none of them is a count or a constant.
	if i := bytes.IndexByte(varies, 0); i >= 0 {
		t.Errorf("digit %d is the same in all ids", i)
	}
}
