package envelope

import (
	"maps"
	"regexp"
	"strings"
	"testing"
)

func TestAppendWritesDefaults(t *testing.T) {
	const want = `{"id":"ID","payload":null,"service_name":"","token_name":"","token_hash":"","status_string":"",` +
		`"status_code":"","request_id":"","resource_id":"","domain_uuid":"","domain_name":"","permissions":[],"topic":""}`
	id := regexp.MustCompile(`^\{"id":"([0-9a-f]{32})"`)
	seen := map[string]bool{}
	for range 100 {
		got := string(new(Envelope).Append(nil))
		match := id.FindStringSubmatch(got)
		if match == nil {
			t.Fatalf("got %s: no id of 32 hex digits", got)
		}
		if seen[match[1]] {
			t.Fatalf("the id %s came twice", match[1])
		}
		seen[match[1]] = true
		if got := strings.Replace(got, match[1], "ID", 1); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAppendKeepsSpelling(t *testing.T) {
	for _, value := range []string{`1.0`, `1E+2`, `-0`, `0.10`, `123456789012345678901234567890`, `1e999`, `null`, `false`,
		`"a\/b"`, `"\u00e9"`, `"é"`, `{"b":1, "a":2, "b":3}`, `{}`, `[ ]`} {
		e := Envelope{ID: Raw(`"x"`)}
		want := `{"id":"x"`
		for i, k := range envelopeKeys {
			if i > 0 {
				*k.raw(&e) = Raw(value)
				want += `,"` + k.name + `":` + value
			}
		}
		if got := string(e.Append(nil)); got != want+"}" {
			t.Errorf("got  %s\nwant %s}", got, want)
		}
	}
}

func TestAppendOneFieldAtATime(t *testing.T) {
	for i, set := range envelopeKeys {
		t.Run(set.name, func(t *testing.T) {
			var e Envelope
			*set.raw(&e) = Raw(`7`)
			got := string(e.Append([]byte("before")))
			at := len("before")
			for j, k := range envelopeKeys {
				value := k.absent
				if i == j {
					value = `7`
				}
				part := `,"` + k.name + `":` + value
				if j == 0 {
					part = `{"id":` + value
				}
				if !strings.HasPrefix(got[at:], part) {
					t.Fatalf("got %s, want %s at %d", got, part, at)
				}
				at += len(part)
				if j == 0 && i != 0 {
					at += 34 // the fresh id and its quotes
				}
			}
			if got[at:] != "}" {
				t.Errorf("got %s behind the last key", got[at:])
			}
		})
	}
}

func TestAppendOfDecoded(t *testing.T) {
	m := mustDecode(t, `{"request_id":2.0,"service":"weather","token":{"name":"n","hash":"h"},"statusCode":200,"x":1,"payload":{ "c":"a\/b" }}`)
	again := mustDecode(t, string(m.Append(nil)))
	want := map[string]string{"payload": `{ "c":"a\/b" }`, "service_name": `"weather"`, "token_name": `"n"`, "token_hash": `"h"`,
		"status_string": `""`, "status_code": `200`, "request_id": `2.0`, "resource_id": `""`, "domain_uuid": `""`,
		"domain_name": `""`, "permissions": `[]`, "topic": `""`}
	got := present(&again.Envelope)
	delete(got, "id")
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("got %q: not 32 hex digits, or seen before", id)
		}
		seen[id] = true
	}
}
