package eventsocket

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// recorded returns the bytes that the switch sent on the event connection of each recording.
func recorded(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/fusionpbx/corpus/*/switch.jsonl.gz")
	if err != nil || len(files) < 31 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unzipped, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for lines := json.NewDecoder(unzipped); ; {
			var l struct{ From, Data string }
			if err := lines.Decode(&l); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if l.From == "switch" { // replies of other connections make good company
				out = append(out, l.Data...)
			}
		}
		all[filepath.Base(filepath.Dir(file))] = out
	}
	return all
}

func testOptions() *Options {
	o := &Options{Password: "x"}
	if err := o.configureDefaults(); err != nil {
		panic(err)
	}
	return o
}

// transcript reads everything and writes down what it was.
func transcript(r io.Reader, o *Options) (string, error) {
	var b strings.Builder
	in, parser := newStream(r, o), eventParser{maxHeaders: o.MaxHeaders}
	for {
		m, err := in.next()
		if err != nil {
			return b.String(), err
		}
		fmt.Fprintf(&b, "%d %q %q %v %v ", m.kind, m.reply, m.job, m.linger, m.tooLarge)
		if m.kind != kindEvent || m.tooLarge {
			fmt.Fprintf(&b, "%q\n", m.body)
			continue
		}
		event, err := parser.parse(m.body, nil)
		if err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		for name, value := range event.All() {
			fmt.Fprintf(&b, "%q=%q ", name, value)
		}
		fmt.Fprintf(&b, "%q %v\n", event.Body, event.Truncated)
	}
}

// TestSplitAnywhere reads each recording byte by byte and in random pieces.
func TestSplitAnywhere(t *testing.T) {
	o := testOptions()
	all := recorded(t)
	whole := map[string]string{}
	var names []string
	for name, text := range all {
		got, err := transcript(bytes.NewReader(text), o)
		if err != io.EOF {
			t.Fatalf("%s: %v", name, err)
		}
		whole[name] = got
		names = append(names, name)
		if one, _ := transcript(iotest.OneByteReader(bytes.NewReader(text)), o); one != got {
			t.Errorf("%s: read byte by byte it is different", name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "recording")
		pieces := &pieces{text: all[name], sizes: rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 20).Draw(t, "sizes")}
		if got, err := transcript(pieces, o); err != io.EOF || got != whole[name] {
			t.Fatalf("%s: in pieces of %v it is different: %v", name, pieces.sizes, err)
		}
	})
}

// pieces reads text in pieces of these sizes, again and again.
type pieces struct {
	text  []byte
	sizes []int
	n     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := min(p.sizes[p.n%len(p.sizes)], len(b), len(p.text))
	p.n++
	copy(b, p.text[:n])
	p.text = p.text[n:]
	return n, nil
}

func TestStream(t *testing.T) {
	event := "Content-Length: 15\nContent-Type: text/event-plain\n\nEvent-Name: A\n\n"
	readable := "4 \"\" \"\" false false \"Event-Name\"=\"A\" \"\" false\n"
	tests := map[string]struct {
		in, want string
		err      error
	}{
		"nothing":            {"", "", io.EOF},
		"blank lines":        {"\n\r\n\n" + event, readable, io.EOF},
		"CRLF":               {"Content-Length: 15\r\nContent-Type: text/event-plain\r\n\r\nEvent-Name: A\n\n", readable, io.EOF},
		"unknown type":       {"Content-Type: log/data\nContent-Length: 2\n\n\n\n" + event, readable, io.EOF},
		"junk":               {"junk\n\n" + event, readable, io.EOF},
		"length -1, no body": {"Content-Length: -1\nContent-Type: text/event-plain\n\n" + event, readable, io.EOF},
		"length -1, custom":  {"Content-Length: -1\nContent-Type: text/event-plain\n\nEvent-Subclass: b\nEvent-Name: A\nContent-Length: 2\n\nhi" + event, "4 \"\" \"\" false false \"Event-Subclass\"=\"b\" \"Event-Name\"=\"A\" \"Content-Length\"=\"2\" \"hi\" false\n" + readable, io.EOF},
		"huge length":        {"Content-Length: 99999999999999999999\nContent-Type: text/event-plain\n\nEvent-Name: A\n\n" + event, readable + readable, io.EOF},
		"reply of length -1": {"Content-Length: -1\nContent-Type: api/response\n\nContent-Type: command/reply\n\n", "", errFraming},
		"too much to skip":   {"Content-Length: 999999999\nContent-Type: api/response\n\n", "", ErrTooLarge},
		"ends in head":       {"Content-Length: 15\n", "", io.ErrUnexpectedEOF},
		"ends in line":       {"Content-Le", "", io.ErrUnexpectedEOF},
		"ends in body":       {event[:len(event)-3], "", io.ErrUnexpectedEOF},
		"long line":          {"X: " + strings.Repeat("x", 200_000) + "\n" + event, readable, io.EOF},
		"endless line":       {strings.Repeat("x", 2_000_000), "", ErrTooLarge},
		"many headers":       {strings.Repeat("a: b\n", 5000) + event, readable, io.EOF},
		"endless headers":    {strings.Repeat("a: b\n", 300_000), "", ErrTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			o.MaxSkip = 1 << 20
			got, err := transcript(strings.NewReader(test.in), o)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestDecoded(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"Zo%C3%AB%20100%25":    "Zoë 100%",
		"a+b%2Bc":              "a+b+c",
		"%":                    "%",
		"%4":                   "%4",
		"%zz%4%20":             "%zz%4 ",
		"%%20":                 "% ",
		"Zo%EB":                "Zoë",
		"Zo\xeb":               "Zoë",
		"Zoë and Zo\xeb":       "Zoë and Zoë",
		"%C3":                  "Ã",
		"%F0%9F%98%80":         "😀",
		"%F0%9F%98":            "ð\u009f\u0098",
		"\ufffd":               "\ufffd",
		"%0a%0Aapi%20system":   "\n\napi system",
		strings.Repeat("%", 9): strings.Repeat("%", 9),
	} {
		if got := string(appendDecoded([]byte("before"), []byte(in))); got != "before"+want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestEvent(t *testing.T) {
	parser := eventParser{maxHeaders: 10}
	event, err := parser.parse([]byte("Event-Name:CUSTOM\nA: 1\nnothing\n: empty\na: 2\nContent-Length: 9\n\nno: \nlong\n\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if event.Name() != "CUSTOM" || event.Get("A") != "2" || event.Len() != 4 || event.Body != "no: \nlong" || event.Truncated {
		t.Errorf("got %+v", event)
	}
	if _, ok := event.Lookup("no"); ok {
		t.Error("the body became a header")
	}
	for name, text := range map[string]string{"headers": "Event-Name: A\nB: c", "no blank line": "Event-Name: A\n", "body": "Event-Name: A\nContent-Length: 9\n\nshort"} {
		if event, err := parser.parse([]byte(text), nil); err != nil || !event.Truncated || event.Name() != "A" {
			t.Errorf("%s: %+v, %v", name, event, err)
		}
	}
	for _, text := range []string{"", "\n", "\n\nA: b\n\n", "nothing"} {
		if _, err := parser.parse([]byte(text), nil); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
}

// FuzzStream reads what may come from a switch. Nothing may panic, take memory beyond the limits or yield text that is not
// UTF-8, and pieces must give the same as the whole.
func FuzzStream(f *testing.F) {
	for _, text := range recorded(f) {
		f.Add(text[:min(len(text), 6000)], byte(7))
	}
	f.Add([]byte("Content-Length: -1\nContent-Type: text/event-plain\n\nEvent-Name: A\nContent-Length: -1\n\n"), byte(1))
	f.Fuzz(func(t *testing.T, text []byte, size byte) {
		o := testOptions()
		o.MaxLine, o.MaxHeaders, o.MaxEvent, o.MaxBody, o.MaxSkip = 200, 50, 3000, 4000, 9000
		whole, err := transcript(bytes.NewReader(text), o)
		if err == nil || !utf8.ValidString(whole) {
			t.Fatalf("error %v", err)
		}
		if split, _ := transcript(&pieces{text: text, sizes: []int{int(size) + 1}}, o); split != whole {
			t.Fatalf("whole %q, in pieces %q", whole, split)
		}
		var parser eventParser
		parser.maxHeaders = 50
		event, err := parser.parse(text, nil)
		if err != nil {
			return
		}
		for name, value := range event.All() {
			if !utf8.ValidString(name) || !utf8.ValidString(value) || name == "" {
				t.Fatalf("header %q: %q", name, value)
			}
		}
		if again, err := parser.parse(text, nil); err != nil || !reflect.DeepEqual(again, event) {
			t.Fatalf("the second time %+v, %v, want %+v", again, err, event)
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	text := recorded(b)["calls-names"]
	var events int
	o := testOptions()
	for in := newStream(bytes.NewReader(text), o); ; events++ {
		if _, err := in.next(); err != nil {
			break
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text) / events))
	reader := bytes.NewReader(text)
	in, parser := newStream(reader, o), eventParser{maxHeaders: o.MaxHeaders}
	for b.Loop() {
		m, err := in.next()
		if err == io.EOF {
			reader.Reset(text)
			continue
		}
		if m.kind == kindEvent {
			if _, err := parser.parse(m.body, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}
