package feed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"strowger/bench/load"
)

// Domains is how many domains the calls are spread over.
const Domains = 20

// recordedDomain is the domain of the recordings. Its first letter is what tells the domains of the calls apart.
const recordedDomain = "a.example.com"

// Domain returns the name of domain number i.
func Domain(i int) string { return string(rune('a'+i%Domains)) + recordedDomain[1:] }

// Script is one recorded call. Up are the events until it is answered and settled, down those of its end.
type Script struct {
	up, down []*event
	rows     []template // of each leg in the switch's list of channels
}

// event is one event of a script as it goes over the socket.
type event struct {
	template
	name    string
	headers map[string]string // names in lower case
	leg     int               // whose event it is
	mark    int               // where the mark is
}

// template is text in which the UUIDs of the legs and the domain can be replaced. The replacements have the same length.
type template struct {
	text    []byte
	uuids   []place
	domains []int
}

// place is where the UUID of a leg stands.
type place struct{ at, leg int }

// LoadScript reads a recording: a directory with switch.jsonl.gz and api.json.gz.
func LoadScript(dir string) (*Script, error) {
	bodies, err := readEvents(filepath.Join(dir, "switch.jsonl.gz"))
	if err != nil {
		return nil, fmt.Errorf("load script: %w", err)
	}
	s := &Script{}
	var legs []string
	for _, body := range bodies {
		headers := readHeaders(body)
		if headers["event-name"] == "CHANNEL_CREATE" {
			legs = append(legs, headers["unique-id"])
		}
	}
	for _, body := range bodies {
		e := newEvent(body, legs)
		switch {
		case e.leg < 0: // not of a call
		case e.headers["channel-call-state"] == "HANGUP":
			s.down = append(s.down, e)
		default:
			s.up = append(s.up, e)
		}
	}
	if len(s.up) == 0 || len(s.down) == 0 {
		return nil, fmt.Errorf("load script: %s has no whole call", dir)
	}
	s.rows, err = readRows(filepath.Join(dir, "api.json.gz"), legs)
	if err != nil {
		return nil, fmt.Errorf("load script: %w", err)
	}
	return s, nil
}

// newEvent returns the event with a header for the mark, which services forward.
func newEvent(body []byte, legs []string) *event {
	headers := readHeaders(body)
	e := &event{name: headers["event-name"], headers: headers, leg: -1}
	for i, uuid := range legs {
		if headers["unique-id"] == uuid {
			e.leg = i
		}
	}
	blank := make([]byte, load.MarkSize)
	load.Mark{}.Put(blank)
	first, rest, _ := bytes.Cut(body, []byte("\n"))
	marked := bytes.Join([][]byte{first, append([]byte("Other-Leg-RDNIS: "), blank...), rest}, []byte("\n"))
	text := append(fmt.Appendf(nil, "Content-Length: %d\nContent-Type: text/event-plain\n\n", len(marked)), marked...)
	e.template = newTemplate(text, legs)
	e.mark = bytes.Index(text, blank)
	return e
}

func newTemplate(text []byte, legs []string) template {
	t := template{text: text}
	for leg, uuid := range legs {
		for _, at := range indexes(text, uuid) {
			t.uuids = append(t.uuids, place{at, leg})
		}
	}
	t.domains = indexes(text, recordedDomain)
	return t
}

func indexes(text []byte, of string) []int {
	var found []int
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(of))
		if i < 0 {
			return found
		}
		found = append(found, from+i)
		from += i + len(of)
	}
}

// fill appends the text for a call.
func (t *template) fill(dst []byte, c *call) []byte {
	begin := len(dst)
	dst = append(dst, t.text...)
	text := dst[begin:]
	for _, p := range t.uuids {
		copy(text[p.at:], c.uuids[p.leg])
	}
	for _, at := range t.domains {
		text[at] = byte('a' + c.domain)
	}
	return dst
}

// readEvents returns the bodies of the events of a recording.
func readEvents(path string) ([][]byte, error) {
	var bodies [][]byte
	decoder, closeFile, err := open(path)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	for decoder.More() {
		var line struct{ From, Conn, Data string }
		if err := decoder.Decode(&line); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if _, body, ok := strings.Cut(line.Data, "\n\n"); ok && line.From == "switch" && line.Conn == "events" {
			bodies = append(bodies, []byte(body))
		}
	}
	return bodies, nil
}

// readRows returns a row for each leg out of the last list of channels that has all of them.
func readRows(path string, legs []string) ([]template, error) {
	decoder, closeFile, err := open(path)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	var replies map[string][][2]any
	if err := decoder.Decode(&replies); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	found := make([]template, len(legs))
	for _, reply := range replies["show channels as json"] {
		var list struct{ Rows []json.RawMessage }
		text, _ := reply[1].(string)
		if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Rows) != len(legs) {
			continue
		}
		for _, row := range list.Rows {
			var key struct{ UUID string }
			if err := json.Unmarshal(row, &key); err != nil {
				return nil, fmt.Errorf("read %s: %w", path, err)
			}
			for i, uuid := range legs {
				if key.UUID == uuid {
					found[i] = newTemplate(row, legs)
				}
			}
		}
	}
	for _, row := range found {
		if row.text == nil {
			return nil, errors.New("no list of channels has all legs: " + path)
		}
	}
	return found, nil
}

func open(path string) (*json.Decoder, func(), error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return json.NewDecoder(unzipped), func() { file.Close() }, nil
}

func readHeaders(body []byte) map[string]string {
	headers := map[string]string{}
	for line := range strings.SplitSeq(string(body), "\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			break
		}
		value = strings.TrimSpace(value)
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		headers[strings.ToLower(name)] = value
	}
	return headers
}

// call is one call that is up: a script with UUIDs and a domain of its own.
type call struct {
	script *Script
	uuids  []string
	domain int
}

func (s *Script) call(number int) *call {
	c := &call{script: s, domain: number % Domains}
	for leg := range s.rows {
		c.uuids = append(c.uuids, fmt.Sprintf("%08x-%04x-4000-8000-%s", number, leg, strconv.FormatInt(int64(1)<<44+int64(number), 16)))
	}
	return c
}
