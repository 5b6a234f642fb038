package conformance

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// transcript is what was seen in a scenario, a line an event, written as the goldens are.
type transcript struct {
	lines       []string
	subscribers []string // resource ids in the order they appeared
}

var routerID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// say adds a line.
func (tr *transcript) say(format string, args ...any) {
	tr.lines = append(tr.lines, fmt.Sprintf(format, args...))
}

// sayFrame adds the line of a frame that conn received and returns its envelope, nil where it
// holds none. withPayload false leaves out the bytes of a close frame.
func (tr *transcript) sayFrame(conn string, f frame, withPayload bool) map[string]any {
	kind, known := map[byte]string{opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}[f.first&0x0f]
	switch {
	case !known || f.first&0xf0 != 0x80:
		// The router sends whole frames without extensions (protocol 2.6); this is none.
		tr.say("%s ! frame of first byte %02x hex:%x", conn, f.first, f.payload)
	case kind == "text":
		return tr.sayText(conn, f.payload)
	case kind == "close" && !withPayload:
		tr.say("%s <- close", conn)
	default:
		tr.say("%s <- %s hex:%x", conn, kind, f.payload)
	}
	return nil
}

func (tr *transcript) sayText(conn string, payload []byte) map[string]any {
	value, err := decodeValue(payload)
	if err != nil {
		tr.say("%s <- text %s", conn, fold(string(payload)))
		return nil
	}
	envelope, isObject := value.(map[string]any)
	masked := value
	if isObject {
		masked = tr.mask(envelope)
	}
	text, err := encodeValue(masked)
	if err != nil {
		text = fmt.Sprintf("! %v", err)
	}
	tr.say("%s <- text %s", conn, fold(text))
	return envelope
}

// mask returns the envelope with the ids that the router makes up replaced by what goldens have.
// An id that a peer chose stays, and so does one that is not written as the router's are.
func (tr *transcript) mask(envelope map[string]any) map[string]any {
	masked := map[string]any{}
	for key, value := range envelope {
		masked[key] = value
	}
	if id, _ := envelope["id"].(string); routerID.MatchString(id) {
		masked["id"] = "<id>"
	}
	if id, _ := envelope["resource_id"].(string); routerID.MatchString(id) {
		if !slices.Contains(tr.subscribers, id) {
			tr.subscribers = append(tr.subscribers, id)
		}
		masked["resource_id"] = fmt.Sprintf("<rid%d>", slices.Index(tr.subscribers, id)+1)
	}
	return masked
}

// parseGolden returns a golden's lines with their JSON written as sayText writes it.
func parseGolden(golden []byte) []string {
	lines := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n")
	for i, line := range lines {
		who, body, isText := strings.Cut(line, " <- text ")
		if !isText {
			continue
		}
		value, err := decodeValue([]byte(unfold(body)))
		if err != nil {
			continue // an answer that is not JSON stands as it is
		}
		if text, err := encodeValue(value); err == nil {
			lines[i] = who + " <- text " + fold(text)
		}
	}
	return lines
}

// compare returns "" where both transcripts are equal, else both from the first line that differs
// on, below the last lines that do not.
func compare(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	equal := 0
	for equal < min(len(want), len(got)) && want[equal] == got[equal] {
		equal++
	}
	var diff strings.Builder
	for _, line := range want[max(0, equal-3):equal] {
		fmt.Fprintf(&diff, "      %s\n", line)
	}
	for _, line := range want[equal:] {
		fmt.Fprintf(&diff, "want  %s\n", line)
	}
	for _, line := range got[equal:] {
		fmt.Fprintf(&diff, "got   %s\n", line)
	}
	return diff.String()
}

func TestSayFrame(t *testing.T) {
	const one, two = "0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff"
	frames := []struct {
		first       byte
		payload     string // text, or hex of a control frame
		withPayload bool
		want        string
	}{
		{0x81, `{"topic":"t","id":"` + one + `","resource_id":"` + two + `"}`, true, `a <- text {"id":"<id>","resource_id":"<rid1>","topic":"t"}`},
		{0x81, `{"id":"mine","resource_id":"` + one + `"}`, true, `a <- text {"id":"mine","resource_id":"<rid2>"}`},
		{0x81, `{"id":null,"resource_id":"` + two + `"}`, true, `a <- text {"id":null,"resource_id":"<rid1>"}`},
		{0x81, `{"payload":{"id":"` + one + `"}}`, true, `a <- text {"payload":{"id":"` + one + `"}}`},
		{0x81, ``, true, `a <- text `},
		{0x81, `{"a":`, true, `a <- text {"a":`},
		{0x81, `[2,1.0]`, true, `a <- text [2,1]`},
		{0x82, "6162", true, `a <- binary hex:6162`},
		{0x88, "03e8", true, `a <- close hex:03e8`},
		{0x88, "03e8", false, `a <- close`},
		{0x8a, "61", false, `a <- pong hex:61`},
		{0x01, "61", true, `a ! frame of first byte 01 hex:61`},
		{0xc1, "61", true, `a ! frame of first byte c1 hex:61`},
		{0x83, "", true, `a ! frame of first byte 83 hex:`},
	}
	var tr transcript
	for _, f := range frames {
		payload := []byte(f.payload)
		if f.first != 0x81 {
			payload, _ = hex.DecodeString(f.payload)
		}
		tr.sayFrame("a", frame{first: f.first, payload: payload}, f.withPayload)
		if got := tr.lines[len(tr.lines)-1]; got != f.want {
			t.Errorf("frame %02x %s: %s, want %s", f.first, f.payload, got, f.want)
		}
	}
}

func TestParseGolden(t *testing.T) {
	long := strings.Repeat("k", 100)
	golden := "a connected\na <- text {\"b\":\"<k*100>\",\"a\":1.0}\na <- text \nprobe: router alive\n"
	want := []string{"a connected", `a <- text {"a":1,"b":"<k*100>"}`, "a <- text ", "probe: router alive"}
	if got := parseGolden([]byte(golden)); !slices.Equal(got, want) {
		t.Fatalf("parsed to %q, want %q", got, want)
	}
	var tr transcript
	tr.sayText("a", []byte(`{"a":1,"b":"`+long+`"}`))
	if tr.lines[0] != want[1] {
		t.Fatalf("the same answer is written %s", tr.lines[0])
	}
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		want, got []string
		diff      string
	}{
		"equal":       {[]string{"a", "b"}, []string{"a", "b"}, ""},
		"other line":  {[]string{"a", "b", "c"}, []string{"a", "x", "c"}, "      a\nwant  b\nwant  c\ngot   x\ngot   c\n"},
		"line less":   {[]string{"a", "b"}, []string{"a"}, "      a\nwant  b\n"},
		"line more":   {[]string{"a"}, []string{"a", "b"}, "      a\ngot   b\n"},
		"nothing got": {[]string{"a"}, nil, "want  a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := compare(c.want, c.got); diff != c.diff {
				t.Fatalf("difference is %q, want %q", diff, c.diff)
			}
		})
	}
}
