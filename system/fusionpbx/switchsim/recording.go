package switchsim

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Recording is what a switch said in one scenario. It is immutable.
type Recording struct {
	// Name is the name of its directory.
	Name string
	// Events are in the order in which the switch sent them.
	Events []Event
	// Asked are the commands of the services in the recording, in order.
	Asked []Asked

	answers map[string][]answer // by command, in order of time
	exact   map[string][]answer // those that a service was given
}

// Event is one message of the recording, or a cut of all connections.
type Event struct {
	// At is the time since the start of the recording.
	At time.Duration
	// Raw is the message as the switch sent it. It is empty for a cut.
	Raw []byte
	// Cut is how long the switch refused connections after it had closed all. It is 0 for an event.
	Cut time.Duration

	headers map[string]string // names in lower case
}

// Header returns the event's own header, decoded; its name may be spelled in any case. It is empty if there is none.
func (e Event) Header(name string) string { return e.headers[strings.ToLower(name)] }

// Asked is a command that a service sent in the recording.
type Asked struct {
	At time.Duration
	// Conn is the name of the service, "#" and the number of its connection.
	Conn string
	// Text is the command without its blank line.
	Text string
}

type answer struct {
	at   time.Duration
	text string
}

// line is one line of switch.jsonl.
type line struct {
	T       int64   `json:"t"`
	From    string  `json:"from"`
	Conn    string  `json:"conn"`
	Data    string  `json:"data"`
	CloseMS float64 `json:"close_ms"`
}

// Load reads the recording in the directory: switch.jsonl and, if it is there, api.json, each also with .gz.
func Load(fsys fs.FS, dir string) (*Recording, error) {
	r := &Recording{Name: path.Base(dir), answers: map[string][]answer{}, exact: map[string][]answer{}}
	text, err := readFile(fsys, path.Join(dir, "switch.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("load recording: %w", err)
	}
	if err := r.readSwitch(text); err != nil {
		return nil, fmt.Errorf("load recording %s: %w", r.Name, err)
	}
	text, err = readFile(fsys, path.Join(dir, "api.json"))
	if err == nil {
		err = r.readAPI(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load recording %s: api.json: %w", r.Name, err)
	}
	for _, answers := range r.answers {
		slices.SortStableFunc(answers, func(a, b answer) int { return cmp.Compare(a.at, b.at) })
	}
	return r, nil
}

func (r *Recording) readSwitch(text []byte) error {
	waiting := map[string][]string{} // commands without reply, by connection
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(keepBytes(lines.Bytes()), &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		at := time.Duration(l.T) * time.Millisecond
		data := restoreBytes(l.Data)
		switch {
		case l.CloseMS > 0:
			r.Events = append(r.Events, Event{At: at, Cut: time.Duration(l.CloseMS * float64(time.Millisecond))})
		case l.Conn == "events" && l.From == "switch":
			r.Events = append(r.Events, newEvent(at, []byte(data)))
		case l.From == "client":
			command := strings.TrimRight(data, "\n")
			waiting[l.Conn] = append(waiting[l.Conn], command)
			r.Asked = append(r.Asked, Asked{At: at, Conn: l.Conn, Text: command})
		default:
			r.pair(waiting, l.Conn, at, data)
		}
	}
	return lines.Err()
}

// pair notes the reply to the oldest command of the connection.
func (r *Recording) pair(waiting map[string][]string, conn string, at time.Duration, reply string) {
	commands := waiting[conn]
	if len(commands) == 0 {
		return
	}
	waiting[conn] = commands[1:]
	command, isAPI := strings.CutPrefix(commands[0], "api ")
	head, body, _ := strings.Cut(reply, "\n\n")
	if isAPI && strings.HasPrefix(head, "Content-Type: api/response") {
		r.answers[command] = append(r.answers[command], answer{at, body})
		r.exact[command] = append(r.exact[command], answer{at, body})
	}
}

func (r *Recording) readAPI(text []byte) error {
	var polled map[string][][2]any
	if err := json.Unmarshal(keepBytes(text), &polled); err != nil {
		return err
	}
	for command, list := range polled {
		for _, entry := range list {
			at, _ := entry[0].(float64)
			reply, _ := entry[1].(string)
			r.answers[command] = append(r.answers[command], answer{time.Duration(at * float64(time.Millisecond)), restoreBytes(reply)})
		}
	}
	return nil
}

// grace is how far the clocks of the recording's connections may differ, and near how far an answer is that
// a service was given at that moment.
const (
	grace = 60 * time.Millisecond
	near  = 200 * time.Millisecond
)

// Answer returns what the switch answered to the api command at that time of the recording. ok is false if
// it never answered the command.
func (r *Recording) Answer(command string, at time.Duration) (text string, ok bool) {
	nearest := near + 1
	for _, a := range r.exact[command] {
		if d := (a.at - at).Abs(); d < nearest {
			text, nearest, ok = a.text, d, true
		}
	}
	if ok {
		return text, true
	}
	for i, a := range r.answers[command] {
		if i == 0 || a.at <= at+grace {
			text, ok = a.text, true
		}
	}
	return text, ok
}

func newEvent(at time.Duration, raw []byte) Event {
	e := Event{At: at, Raw: raw, headers: map[string]string{}}
	_, body, _ := strings.Cut(string(raw), "\n\n")
	for l := range strings.SplitSeq(body, "\n") {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			break
		}
		value = strings.TrimSpace(value)
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		e.headers[strings.ToLower(name)] = value
	}
	return e
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	text, err := fs.ReadFile(fsys, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	file, err := fsys.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

// keepBytes makes the escapes of bytes that are not UTF-8 survive encoding/json. The recordings have such a byte
// 0xNN as \udcNN, which is half of a pair and which encoding/json replaces.
func keepBytes(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\udc`)) {
		return text
	}
	// Pairs are matched whole, so that the second half of one is not taken for a byte.
	escapes := regexp.MustCompile(`\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\u[0-9a-f]{4}|\\.`)
	return escapes.ReplaceAllFunc(text, func(escape []byte) []byte {
		if len(escape) == 6 && bytes.HasPrefix(escape, []byte(`\udc`)) && escape[4] >= '8' {
			return append([]byte(`\uf7`), escape[4:]...)
		}
		return escape
	})
}

func restoreBytes(s string) string {
	if !strings.ContainsFunc(s, isByte) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isByte(r) {
			b.WriteByte(byte(r))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isByte(r rune) bool { return 0xf780 <= r && r <= 0xf7ff }
