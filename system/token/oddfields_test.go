package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// whole is a token of which every optional field is as it should be, in both formats. Each field stands on a
// line of its own, with a mark where its value begins.
const (
	wholePHP = `<?php
return array (
  'token' => array ('name' => '%s', 'hash' => '%s', 'time' => 1800000000, 'limit' => 0),
  'user' => array (
    'domain_uuid' => 'x',
    'user_uuid' => 'the-user',
    'username' => 'alice',
    'permissions' => array ('see' => true),
    'extension' => array (0 => array ('user' => '1001', 'user_context' => 'a.example'), 1 => array ('user' => '1002', 'user_context' => 'a.example')),
  ),
  'options' => array (),
  'services' => array (0 => 'weather', 1 => 'clock'),
  'domain' => array ('name' => 'a.example', 'uuid' => 'the-domain'),
);
`
	wholeJSON = `{"name":"%s","hash":"%s","issued_at":"2026-01-31T09:00:00Z",
"services":["weather","clock"],"permissions":["see"],"domain":{"name":"a.example","uuid":"the-domain"},
"user":{"uuid":"the-user","name":"alice","extensions":["1001@a.example","1002@a.example"]}}`
)

// granted says what a token grants, one word for each field. Odd fields are those that are missing from it.
func granted(t *Token) []string {
	fields := map[string]string{
		"services": strings.Join(t.Services, "+"), "permissions": strings.Join(t.Permissions, "+"), "extensions": strings.Join(t.Extensions, "+"),
		"domain": t.DomainName, "domain_uuid": t.DomainUUID, "user": t.UserName, "user_uuid": t.UserUUID,
	}
	var words []string
	for name, value := range fields {
		words = append(words, name+"="+value)
	}
	slices.Sort(words)
	return words
}

// oddCase puts odd values in place of one part of a token. Lost are the fields that may be other than they were.
type oddCase struct {
	part string
	lost []string
}

// check claims a token with each of the values and compares what is left of it.
func (c oddCase) check(t *testing.T, format Format, whole string, values []string) {
	t.Helper()
	want := granted(decoded(t, format, fmt.Sprintf(whole, testName, testHash)))
	if strings.Count(whole, c.part) != 1 {
		t.Fatalf("%s: there %d times", c.part, strings.Count(whole, c.part))
	}
	for _, value := range values {
		text := fmt.Sprintf(strings.Replace(whole, c.part, "%[3]s", 1), testName, testHash, value)
		token, err := format.decode([]byte(text), defaultLimits())
		if err != nil {
			t.Errorf("%s in place of %s: %v", value, c.part, err)
			continue
		}
		if token.Name != testName || token.Hash != testHash || token.Kind != User {
			t.Errorf("%s in place of %s: %v is another token", value, c.part, token)
		}
		for i, got := range granted(token) {
			field, _, _ := strings.Cut(got, "=")
			if got != want[i] && !slices.Contains(c.lost, field) {
				t.Errorf("%s in place of %s: got %s, want %s", value, c.part, got, want[i])
			}
		}
	}
}

func decoded(t *testing.T, format Format, text string) *Token {
	t.Helper()
	token, err := format.decode([]byte(text), defaultLimits())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return token
}

// One odd field of a PHP token costs that field only, whatever it holds.
func TestOddFieldsOfPHPTokens(t *testing.T) {
	values := []string{`NULL`, `5`, `-5`, `0`, `1.5`, `-0.0`, `1.0E+300`, `NAN`, `INF`, `true`, `false`, `''`, `'x'`, "'\xff\xfe'", `'` + strings.Repeat("x", 100_000) + `'`,
		`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `99999999999999999999999999`, `1.0E+999`, `-9223372036854775807-1`, `array ()`, `array (0 => array (0 => array ()))`, `array (0 => 5, 'x' => NULL, -3 => 1.5)`,
		`array ('name' => 5, 'uuid' => array (), 'user' => 1.5, 'permissions' => 7, 'extension' => 'x')`, `(object) array ()`, `(object) array ('user' => '1')`,
		`\Some\Thing::__set_state(array ('a' => 1))`, `\Some\Enumeration::Value`}
	for _, c := range []oddCase{
		{`'the-user'`, []string{"user_uuid"}},
		{`'alice'`, []string{"user"}},
		{`array ('see' => true)`, []string{"permissions"}},
		{`array (0 => array ('user' => '1001', 'user_context' => 'a.example'), 1 => array ('user' => '1002', 'user_context' => 'a.example'))`, []string{"extensions"}},
		{`array ('user' => '1001', 'user_context' => 'a.example')`, []string{"extensions"}},
		{`'1001'`, []string{"extensions"}},
		{`array (0 => 'weather', 1 => 'clock')`, []string{"services"}},
		{`'weather'`, []string{"services"}},
		{`array ('name' => 'a.example', 'uuid' => 'the-domain')`, []string{"domain", "domain_uuid"}},
		{`'the-domain'`, []string{"domain_uuid"}},
		{`array ()`, nil}, // options, which nobody reads
		{`'x'`, nil},      // user.domain_uuid, which nobody reads
	} {
		c.check(t, PHP, wholePHP, values)
	}
}

// So it is with JSON.
func TestOddFieldsOfJSONTokens(t *testing.T) {
	values := []string{`null`, `5`, `-5`, `0`, `-0`, `1.5`, `1e300`, `1e999`, `99999999999999999999999999`, `true`, `false`, `""`, `"x"`, `"\u0000"`, `"\ud800"`,
		`"` + strings.Repeat("x", 100_000) + `"`, `[]`, `[[[]]]`, `[null]`, `[5,1.5,"x",null,{}]`, `{}`}
	// An object has fields of its own where the token has them, so it is odd only elsewhere.
	elsewhere := append(slices.Clone(values), `{"a":1}`, `{"a":1,"a":2}`, `{"name":"x"}`)
	for _, c := range []oddCase{
		{`"the-user"`, []string{"user_uuid"}},
		{`"alice"`, []string{"user"}},
		{`["see"]`, []string{"permissions"}},
		{`["1001@a.example","1002@a.example"]`, []string{"extensions"}},
		{`"1001@a.example"`, []string{"extensions"}},
		{`["weather","clock"]`, []string{"services"}},
		{`"weather"`, []string{"services"}},
		{`"the-domain"`, []string{"domain_uuid"}},
	} {
		c.check(t, JSON, wholeJSON, elsewhere)
	}
	oddCase{`{"name":"a.example","uuid":"the-domain"}`, []string{"domain", "domain_uuid"}}.check(t, JSON, wholeJSON, values)
	oddCase{`{"uuid":"the-user","name":"alice","extensions":["1001@a.example","1002@a.example"]}`,
		[]string{"user", "user_uuid", "extensions"}}.check(t, JSON, wholeJSON, values)
}

// A user of the wrong type is no user, so a service may have one.
func TestOddUserOfAService(t *testing.T) {
	const service = `{"name":"%s","hash":"%s","issued_at":"2026-01-31T09:00:00Z","service":{"name":"weather","class":"weather_service"},"user":%s}`
	for _, user := range []string{`null`, `5`, `-5`, `1.5`, `true`, `false`, `""`, `"x"`, `[]`, `[{"name":"x"}]`, `{}`} {
		token, err := JSON.decode([]byte(fmt.Sprintf(service, testName, testHash, user)), defaultLimits())
		if err != nil || token.Kind != Service || token.ServiceName != "weather" || token.ServiceClass != "weather_service" || token.UserName != "" {
			t.Errorf("%s: %v, %v", user, token, err)
		}
	}
	_, err := JSON.decode([]byte(fmt.Sprintf(service, testName, testHash, `{"name":"alice"}`)), defaultLimits())
	if !errors.Is(err, ErrMalformed) {
		t.Errorf("a user and a service: %v", err)
	}
}

// Bytes that are no UTF-8 would become the same replacement for two domains.
func TestTextsAreUTF8(t *testing.T) {
	text := strings.ReplaceAll(fmt.Sprintf(wholePHP, testName, testHash), "a.example", "a.ex\xffmple")
	token := decoded(t, PHP, strings.ReplaceAll(text, "'see'", "'s\xffe' => true, 'look'"))
	if token.DomainName != "" || len(token.Extensions) != 0 || !slices.Equal(token.Permissions, []string{"look"}) || token.UserName != "alice" {
		t.Errorf("got %v", granted(token))
	}
	if len(token.Odd) != 3 {
		t.Errorf("odd fields %q, want 3", token.Odd)
	}
}
