package envelope

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestDecodeReadsEveryKey(t *testing.T) {
	spellings := map[string]string{} // as read: as written
	for _, k := range envelopeKeys {
		spellings[k.name] = k.name
		if k.alias != "" && !strings.Contains(k.alias, ".") {
			spellings[k.alias] = k.name
		}
	}
	values := []string{`"v"`, `""`, `0`, `-1.50e+2`, `true`, `null`, `[]`, `{ "a" : [1, {}] }`}
	for spelling, key := range spellings {
		t.Run(spelling, func(t *testing.T) {
			for _, value := range values {
				m := mustDecode(t, fmt.Sprintf(" {\t%q :\n%s\r} ", spelling, value))
				if got, want := present(&m.Envelope), map[string]string{key: value}; !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
}

func TestDecodeFields(t *testing.T) {
	type fields = map[string]string
	for _, c := range []struct {
		name, data string
		want       fields
	}{
		{"token object", `{"token":{"name":"n","hash":"h","limit":[1]}}`, fields{"token_name": `"n"`, "token_hash": `"h"`}},
		{"token object with half of it", `{"token":{"hash":"h"}}`, fields{"token_hash": `"h"`}},
		{"token object with odd types", `{"token":{"name":1,"hash":null}}`, fields{"token_name": `1`, "token_hash": `null`}},
		{"token object with escaped keys", `{"token":{"n\u0061me":"n"}}`, fields{"token_name": `"n"`}},
		{"token object, key twice", `{"token":{"name":"a","name":"b"}}`, fields{"token_name": `"b"`}},
		{"token before token_name", `{"token":{"name":"a"},"token_name":"b"}`, fields{"token_name": `"b"`}},
		{"token after token_name", `{"token_name":"b","token":{"name":"a"}}`, fields{"token_name": `"a"`}},
		{"token without name keeps token_name", `{"token_name":"b","token":{"hash":"h"}}`, fields{"token_name": `"b"`, "token_hash": `"h"`}},
		{"token empty", `{"token":{}}`, fields{}},
		{"token list", `{"token":["name","hash"]}`, fields{}},
		{"token text", `{"token":"name"}`, fields{}},
		{"token null", `{"token":null}`, fields{}},
		{"token name deeper", `{"token":{"x":{"name":"n"}}}`, fields{}},
		{"key twice", `{"topic":"a","topic":"b"}`, fields{"topic": `"b"`}},
		{"service then service_name", `{"service":"a","service_name":"b"}`, fields{"service_name": `"b"`}},
		{"service_name then service", `{"service_name":"b","service":"a"}`, fields{"service_name": `"a"`}},
		{"statusCode then status_code", `{"statusCode":1,"status_code":2}`, fields{"status_code": `2`}},
		{"statusString last", `{"status_string":"a","statusString":"b"}`, fields{"status_string": `"b"`}},
		{"null counts as last", `{"payload":1,"payload":null}`, fields{"payload": `null`}},
		{"escaped key", `{"\u0074opic":"t","request\u005fid":1,"pay\u006Coad":2}`, fields{"topic": `"t"`, "request_id": `1`, "payload": `2`}},
		{"escaped key is the last of two", `{"topic":"a","t\u006fpic":"b"}`, fields{"topic": `"b"`}},
		{"keys in another case", `{"Service":"a","TOPIC":"b","payload ":1}`, fields{}},
		{"method names of the PHP class", `{"apply_filter":1,"to_array":2,"status":3,"code":4}`, fields{}},
		{"nested keys are not ours", `{"payload":{"topic":"inner"}}`, fields{"payload": `{"topic":"inner"}`}},
		{"spelling kept", `{"payload":{"a/b":"c\/d","n":1.0E+2,"é":"\u00e9"} ,"request_id": -0.0 }`,
			fields{"payload": `{"a/b":"c\/d","n":1.0E+2,"é":"\u00e9"}`, "request_id": `-0.0`}},
		{"no white space", `{"id":1,"topic":2}`, fields{"id": `1`, "topic": `2`}},
		{"white space all over", " \t\r\n{ \"id\"\t:\r1\n,\n\"topic\" : [ 2 , { } ] \t} \n", fields{"id": `1`, "topic": `[ 2 , { } ]`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mustDecode(t, c.data)
			if got := present(&m.Envelope); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestDecodeAuthentication(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       bool
	}{
		{"service", `{"service":"authentication"}`, true},
		{"escaped value", `{"service":"\u0061uthentication"}`, true},
		{"escaped key", `{"serv\u0069ce":"authentication"}`, true},
		{"alias", `{"service_name":"authentication"}`, false},
		{"other name", `{"service":"authentication "}`, false},
		{"other case", `{"service":"Authentication"}`, false},
		{"list", `{"service":["authentication"]}`, false},
		{"last is another", `{"service":"authentication","service":"x"}`, false},
		{"last is it", `{"service":"x","service":"authentication"}`, true},
		{"alias behind it", `{"service":"authentication","service_name":"x"}`, true},
		{"alias only behind another", `{"service":"x","service_name":"authentication"}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mustDecode(t, c.data).Authentication; got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

func TestDecodeOverflow(t *testing.T) {
	nines := strings.Repeat("9", 308)
	for _, c := range []struct {
		number string
		want   bool
	}{
		{"1e999", true}, {"-1E+999", true}, {"1.5e309", true}, {"1.8e308", true}, {nines + "9", true}, {"-" + nines + "9.5", true},
		{"1e308", false}, {"1.7976931348623157e308", false}, {"1e-999", false}, {"0e999", false}, {nines, false},
		{"0." + nines, false}, {"123456789012345678901234567890", false},
	} {
		for where, format := range map[string]string{
			"known key": `{"payload":%s}`, "unknown key": `{"x":%s}`, "nested": `{"payload":[{"a":[1,%s]}],"id":1}`,
			"token": `{"token":{"name":%s}}`, "overwritten": `{"id":%s,"id":1}`,
		} {
			if got := mustDecode(t, fmt.Sprintf(format, c.number)).Overflow; got != c.want {
				t.Errorf("%s in %s: got %t, want %t", c.number, where, got, c.want)
			}
		}
	}
	if mustDecode(t, `{"payload":"1e999","1e999":1}`).Overflow {
		t.Error("a text that looks like a number counts as one")
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		data []string
	}{
		{"nothing", ErrSyntax, []string{"", " ", "\n\t", "\x00", "\ufeff{\"id\":1}"}},
		{"empty object", ErrEmpty, []string{`{}`, ` { } `, "\n{\t\r}\n"}},
		{"not an object", ErrNotObject, []string{`[]`, `[1,{"topic":2}]`, `""`, `"{}"`, `0`, ` -1.5e3 `, `null`, `true`, `false`}},
		{"trailing garbage", ErrSyntax, []string{`{"id":1}x`, `{"id":1},`, `{"id":1}}`, `{"id":1}{"id":1}`, "{\"id\":1}\x00", `{}x`, `[]]`, `1 2`, `nullx`}},
		{"half an object", ErrSyntax, []string{`{`, `{"`, `{"id`, `{"id"`, `{"id":`, `{"id":1`, `{"id":1,`, `{"id":"a`, `{"id":[`, `{"id":[1,`, `{"id":{"a":1}`}},
		{"punctuation", ErrSyntax, []string{`{,}`, `{"id"}`, `{"id" 1}`, `{"id":}`, `{"id":1,}`, `{"id":1 "topic":2}`, `{id:1}`, `{'id':1}`, `{1:1}`, `{"id":,}`, `{"id":1;"topic":2}`}},
		{"punctuation inside", ErrSyntax, []string{`{"id":[,]}`, `{"id":[1,]}`, `{"id":[1 2]}`, `{"id":[1}}`, `{"id":{"a":1]}`, `{"id":{"a"}}`, `{"id":{,}}`, `{"id":{"a":1,}}`, `{"id":{1}}`, `{"id":]}`}},
		{"literals", ErrSyntax, []string{`{"id":nul}`, `{"id":True}`, `{"id":truefalse}`, `{"id":NaN}`, `{"id":undefined}`, `{"id":tru`, `{"id":Infinity}`}},
		{"numbers", ErrSyntax, []string{`{"id":01}`, `{"id":+1}`, `{"id":.5}`, `{"id":1.}`, `{"id":-}`, `{"id":1e}`, `{"id":1e+}`, `{"id":0x1}`, `{"id":--1}`, `{"id":-01}`, `{"id":1.e5}`, `{"id":1_0}`}},
		{"comments", ErrSyntax, []string{`{"id":1/**/}`, "//\n{\"id\":1}", `{"id":1}#`}},
		{"other white space", ErrSyntax, []string{"{\"id\":1}\v", "{\f\"id\":1}", "{\u00a0\"id\":1}"}},
		{"control characters", ErrSyntax, []string{"{\"id\":\"\x00\"}", "{\"id\":\"a\nb\"}", "{\"id\":\"\t\"}", "{\"id\":\"\x1f\"}", "{\"i\nd\":1}", "{\"x\":[\"\x01\"]}"}},
		{"escapes", ErrSyntax, []string{`{"id":"\a"}`, `{"id":"\x41"}`, `{"id":"\'"}`, `{"id":"\u12"}`, `{"id":"\u12g4"}`, `{"id":"\U0041"}`, `{"id":"\`, `{"id":"\"}`, `{"\q":1}`, `{"id":"\u+123"}`}},
		{"lone surrogates", ErrSyntax, []string{`{"id":"\ud800"}`, `{"id":"\udc00"}`, `{"id":"\ud800x"}`, `{"id":"\ud800\n"}`, `{"id":"\ud800\u0041"}`, `{"id":"\ud800\ud800"}`,
			`{"id":"\udc00\ud800"}`, `{"id":"\uDBFF\uDFFF\uDFFF"}`, `{"\ud800":1}`, `{"x":{"a":["\uDFFF"]}}`, `{"id":"\ud800\udc0"}`, `{"id":"\ud800`, `{"id":"\ud800\\udc00"}`}},
		{"not UTF-8", ErrUTF8, []string{"{\"id\":\"\xff\"}", "{\"id\":\"\xc3\"}", "{\"id\":\"\xed\xa0\x80\"}", "{\"id\":\"\xc0\xaf\"}", "{\"\x80\":1}", "{\"id\":1}\xfe", "\xff"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, data := range c.data {
				if m, err := Decode([]byte(data), 64); err != c.want || m != nil {
					t.Errorf("%q: got %v, %v, want %v", data, m, err, c.want)
				}
			}
		})
	}
}

func TestDecodeTakesGoodText(t *testing.T) {
	for _, text := range []string{`"\ud83d\ude00"`, `"\uD800\uDC00"`, `"\udbff\udfff"`, `"\\ud800"`, `"\u0000"`, `"\"\\\/\b\f\n\r\t"`,
		"\"\x7f\"", "\"\u2028\"", `"😀"`, "\"\U0010ffff\"", `"\uFFFF"`, `"\uD7FF\uE000"`} {
		if got := string(mustDecode(t, `{"id":`+text+`}`).ID); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}

// nest returns a message whose objects and lists are nested depth levels deep.
func nest(depth int, opening, closing, innermost string) string {
	return `{"payload":` + strings.Repeat(opening, depth-1) + innermost + strings.Repeat(closing, depth-1) + `}`
}

func TestDecodeDepth(t *testing.T) {
	for _, c := range []struct{ name, opening, closing, innermost string }{
		{"lists", "[", "]", "1"},
		{"lists around a text", "[ ", " ]", `"]"`},
		{"lists with something before", `[1,[],{},"[",`, "]", "null"},
		{"objects", `{"a":`, "}", "1"},
		{"objects with something before", `{"b":{},"a":`, `,"c":[]}`, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, limit := range []int{3, 63, 64, 65, 66, 512, 1023, MaxDepth} {
				// What stands before and after is one level deeper than its surroundings.
				deepest := limit
				if strings.Contains(c.opening, "{}") {
					deepest--
				}
				if m, err := Decode([]byte(nest(deepest, c.opening, c.closing, c.innermost)), limit); err != nil {
					t.Errorf("limit %d: %v", limit, err)
				} else if m.Payload == nil {
					t.Errorf("limit %d: the payload is lost", limit)
				}
				if _, err := Decode([]byte(nest(deepest+1, c.opening, c.closing, c.innermost)), limit); err != ErrDepth {
					t.Errorf("limit %d, one level too many: got %v, want %v", limit, err, ErrDepth)
				}
			}
		})
	}
}

// An envelope may have so many keys and not one more. Those inside its values do not count, and 0 means any number.
func TestDecodeKeys(t *testing.T) {
	const most = 5
	wide := func(keys int, key string) []byte {
		return []byte("{" + strings.Repeat(key+":1,", keys-1) + `"id":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}}`)
	}
	for _, key := range []string{`"id"`, `"x"`, `""`, `"\u0078"`} {
		m := new(Message)
		if err := m.Decode(wide(most, key), MaxDepth, most); err != nil || len(m.ID) < 2 {
			t.Errorf("%s: as many as may be: %v, id %s", key, err, m.ID)
		}
		if err := new(Message).Decode(wide(most+1, key), MaxDepth, most); err != ErrKeys {
			t.Errorf("%s: one more: got %v, want %v", key, err, ErrKeys)
		}
		if err := new(Message).Decode(wide(1000*most, key), MaxDepth, 0); err != nil {
			t.Errorf("%s: any number: %v", key, err)
		}
	}
}

func TestDecodeDepthAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name, data string
		depth      int
		want       error
	}{
		{"one level", `{"id":1}`, 1, nil},
		{"one level, empty list", `{"id":[]}`, 1, ErrDepth},
		{"two levels, empty list", `{"id":[]}`, 2, nil},
		{"two levels, empty object", `{"id":{}}`, 2, nil},
		{"levels side by side", `{"id":[1],"topic":{"a":1},"payload":[[],[]]}`, 3, nil},
		{"no level", `{"id":1}`, 0, ErrDepth},
		{"no level, empty object", `{}`, 0, ErrDepth},
		{"negative", `{"id":1}`, -1, ErrDepth},
		{"list of its own", `[[[]]]`, 2, ErrDepth},
		{"list of its own that fits", `[[[]]]`, 3, ErrNotObject},
		{"beyond the greatest", nest(MaxDepth+1, "[", "]", "1"), MaxDepth + 1, ErrDepth},
		{"far beyond the greatest", nest(100_000, "[", "]", "1"), 1 << 30, ErrDepth},
		{"unclosed lists", `{"id":` + strings.Repeat("[", 100_000), MaxDepth, ErrDepth},
		{"brackets in a text", `{"id":"[[[[{{{{"}`, 1, nil},
		{"list closed as object far down", `{"id":` + strings.Repeat("[", 65) + strings.Repeat("]", 64) + `}}`, MaxDepth, ErrSyntax},
		{"object closed as list far down", `{"id":` + strings.Repeat(`{"a":`, 64) + `1]`, MaxDepth, ErrSyntax},
		{"list in the place of an object of before", `{"id":[{"a":{"b":1}},[[1]],{"a":[1]}]}`, MaxDepth, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Decode([]byte(c.data), c.depth); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestDecodePointsIntoItsData(t *testing.T) {
	data := []byte(`{"id":"first"}`)
	m, err := Decode(data, 1)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[slices.Index(data, 'f'):], "other")
	if string(m.ID) != `"other"` {
		t.Errorf("got %s: the bytes were copied", m.ID)
	}
}
