package filter

import "testing"

// What passes a narrowing has one of its topics, and each of its keys with one of its values.
func TestNarrowing(t *testing.T) {
	n, err := ParseNarrowing([]byte(`{"topics":["a","b"],"keys":{"id":["x",1,true,null],"d":"one"}}`))
	if err != nil || n.Size() != 7 {
		t.Fatalf("size %v, err %v", n, err)
	}
	for payload, want := range map[string]bool{
		`{"id":"x","d":"one"}`:                true,
		`{"d":"\u006fne","more":[],"id":"x"}`: true,
		`{"id":1,"d":"one"}`:                  true,
		`{"id":true,"d":"one"}`:               true,
		`{"id": null ,"d":"one"}`:             true,
		`{"id":"y","id":"x","d":"one"}`:       true,
		`{"id":"x","id":"y","d":"one"}`:       false,
		`{"id":"1","d":"one"}`:                false,
		`{"id":1.0,"d":"one"}`:                false,
		`{"id":"true","d":"one"}`:             false,
		`{"id":"x"}`:                          false,
		`{"id":["x"],"d":"one"}`:              false,
		`{"sub":{"id":"x","d":"one"}}`:        false,
		`[{"id":"x","d":"one"}]`:              false,
		`null`:                                false,
		``:                                    false,
		`{"broken`:                            false,
	} {
		if got := n.Passes("b", []byte(payload)); got != want {
			t.Errorf("%s passes: %t", payload, got)
		}
		if n.Passes("c", []byte(payload)) {
			t.Errorf("%s passes with another topic", payload)
		}
	}
	topics, err := ParseNarrowing([]byte(`{"topics":["a"]}`))
	if err != nil || !topics.Passes("a", nil) || !topics.Passes("a", []byte(`[1]`)) || topics.Passes("", []byte(`{}`)) {
		t.Errorf("topics alone pass something else, err %v", err)
	}
}

func TestNarrowingsThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		``:                           errNoNarrowing.Error(),
		`null`:                       errNoNarrowing.Error(),
		`[]`:                         errNoNarrowing.Error(),
		`"a"`:                        errNoNarrowing.Error(),
		`{"topic":["a"]}`:            errNoNarrowing.Error(),
		`{"topics":"a"}`:             errNoNarrowing.Error(),
		`{"topics":[1]}`:             errNoNarrowing.Error(),
		`{"keys":["a"]}`:             errNoNarrowing.Error(),
		`{}`:                         errNoTerm.Error(),
		`{"topics":[]}`:              errNoTerm.Error(),
		`{"keys":{}}`:                errNoTerm.Error(),
		`{"keys":{"k":[]}}`:          `key "k" has no value`,
		`{"keys":{"k":{}}}`:          `key "k" takes texts, numbers, true, false and null`,
		`{"keys":{"k":[1,[2]]}}`:     `key "k" takes texts, numbers, true, false and null`,
		`{"keys":{"k":[1,{"a":2}]}}`: `key "k" takes texts, numbers, true, false and null`,
	} {
		if n, err := ParseNarrowing([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: got %+v, %v, want %s", text, n, err, want)
		}
	}
}

// Narrowings that ask for the same have the same text, and no others.
func TestNarrowingText(t *testing.T) {
	text := func(s string) string {
		n, err := ParseNarrowing([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return n.Text
	}
	same := []string{`{"topics":["a","b"],"keys":{"k":["x","y"],"l":1}}`, `{"keys":{"l":[1],"k":["y","\u0078","x"]},"topics":["b","a","a"]}`}
	if text(same[0]) != text(same[1]) {
		t.Errorf("%s is not %s", text(same[0]), text(same[1]))
	}
	seen := map[string]string{}
	for _, s := range []string{same[0], `{"topics":["a b"]}`, `{"topics":["a","b"]}`, `{"topics":["a\" \"b"]}`, `{"keys":{"a":"b"}}`,
		`{"keys":{"a":1}}`, `{"keys":{"a":"1"}}`, `{"keys":{"a":["b","c"]}}`, `{"keys":{"a":"b\" \"c"}}`, `{"keys":{"a":null}}`, `{"keys":{"a":"null"}}`} {
		if other, twice := seen[text(s)]; twice {
			t.Errorf("%s and %s have the text %s", s, other, text(s))
		}
		seen[text(s)] = s
	}
}

// Words read only what is wanted, and forget what is not wanted any more.
func TestWords(t *testing.T) {
	a, _ := ParseNarrowing([]byte(`{"keys":{"k":1}}`))
	b, _ := ParseNarrowing([]byte(`{"keys":{"k":2,"l":1}}`))
	var w Words
	w.Want(a)
	w.Want(b)
	w.Read([]byte(`{"k":1,"l":1}`))
	if !w.Pass(a, "") || w.Pass(b, "") {
		t.Error("the first payload is taken for another")
	}
	w.Read([]byte(`{"l":1}`))
	if w.Pass(a, "") || w.Pass(b, "") {
		t.Error("a value of the payload before counts")
	}
	w.Unwant(b)
	w.Read([]byte(`{"k":1,"l":1}`))
	if !w.Pass(a, "") || len(w.at) != 1 {
		t.Errorf("%d keys are read, want 1", len(w.at))
	}
	w.Unwant(a)
	if len(w.at) != 0 {
		t.Error("keys are read that nobody wants")
	}
}
