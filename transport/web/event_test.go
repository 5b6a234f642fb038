package web

import (
	"bytes"
	"strings"
	"testing"
)

// eventRead is one event as a browser reads it.
type eventRead struct{ kind, data string }

// parse reads a stream as the HTML standard says: a line ends with CR, LF or both, and an empty line ends an event.
func parseEvents(stream []byte) (events []eventRead) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(stream))
	var now eventRead
	var data []string
	for line := range strings.SplitSeq(text, "\n") {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != nil:
			now.data = strings.Join(data, "\n")
			events = append(events, now)
			now, data = eventRead{}, nil
		case line == "":
			now = eventRead{}
		case field == "event":
			now.kind = value
		case field == "data":
			data = append(data, value)
		}
	}
	return events
}

func TestAppendEvent(t *testing.T) {
	tests := map[string]struct{ kind, data, want string }{
		"plain":           {"", `{"a":1}`, "data: {\"a\":1}\n\n"},
		"a kind":          {"open", `{}`, "event: open\ndata: {}\n\n"},
		"a line feed":     {"", "{\"a\":\n1}", "data: {\"a\": 1}\n\n"},
		"an end of event": {"", "{\n\ndata: x\n\n}", "data: {  data: x  }\n\n"},
		"CR and LF":       {"", "{\r\nevent: x\r}", "data: {  event: x }\n\n"},
		"nothing":         {"", "", "data: \n\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(appendEvent(nil, test.kind, "", []byte(test.data))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever a message has, it is one event, and the events around it are as they were.
func FuzzAppendEvent(f *testing.F) {
	for _, data := range []string{"{}", "\n", "\r\n\r\n", "a\ndata: b\n\nevent: close\ndata: c", "\u2028", "\x00\n", ":\n", "id: 1\nretry: 0"} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		given := bytes.Clone(data)
		stream := appendEvent(nil, "open", "a=b.1", []byte("before"))
		stream = appendEvent(stream, "", "", data)
		stream = append(stream, heartbeat...)
		stream = appendEvent(stream, "close", "", []byte("after"))
		want := []eventRead{{"open", "before"}, {"", strings.NewReplacer("\r", " ", "\n", " ").Replace(string(given))}, {"close", "after"}}
		got := parseEvents(stream)
		if len(got) != len(want) {
			t.Fatalf("%d events of %q", len(got), stream)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("event %d is %q, want %q", i, got[i], want[i])
			}
		}
		if !bytes.Equal(given, data) {
			t.Error("the message was changed, and others have it too")
		}
	})
}
