package system

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"strowger/config/policy"
)

// liveByEvents connects, as a browser's EventSource does, until the last number has come.
func (r *rover) liveByEvents(addr string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	id := ""
	for r.failure == nil && (len(r.heard) == 0 || r.heard[len(r.heard)-1] != r.last) {
		name, hash := r.mint()
		request, err := http.NewRequest(http.MethodGet, "http://"+addr+"/events?history&token_name="+name+"&token_hash="+hash, http.NoBody)
		if err != nil {
			r.failure = err
			return
		}
		if id != "" {
			request.Header.Set("Last-Event-ID", id)
		}
		answer, err := client.Do(request)
		if err != nil {
			continue // cut before the answer
		}
		id = r.readEvents(bufio.NewReader(answer.Body), id)
		_ = answer.Body.Close()
		r.cuts++
	}
}

// readEvents reads a stream until it is cut, and returns the id of the last whole event.
func (r *rover) readEvents(body *bufio.Reader, id string) string {
	kind, data, next := "", "", id
	for {
		line, err := body.ReadString('\n')
		if err != nil {
			return id
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			kind = value
		case "id":
			next = value
		case "data":
			data = value
		case "":
			id = next
			if kind == "" && data != "" && r.event(data) {
				return id
			}
			kind, data = "", ""
		}
	}
}

// event takes an envelope, and reports whether it is the last one.
func (r *rover) event(data string) bool {
	var e struct {
		Code    json.RawMessage `json:"status_code"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		r.failure = err
		return true
	}
	switch string(e.Code) {
	case "200":
		var said struct {
			History map[string]struct{ Recovered *bool }
		}
		if err := json.Unmarshal(e.Payload, &said); err != nil {
			r.failure = err
		}
		if now := said.History["numbers"].Recovered; now != nil && !*now {
			r.gaps = append(r.gaps, len(r.heard))
		}
		r.admitted <- true
	case `""`:
		var n int
		if err := json.Unmarshal(e.Payload, &n); err != nil {
			r.failure = err
		}
		r.heard = append(r.heard, n)
		return n == r.last
	default:
		r.failure = fmt.Errorf("got %s", data)
	}
	return r.failure != nil
}

// A stream of events that is cut off all the time, and comes back with the id of the last event, hears everything once and
// in order.
func TestNoEventLostOverCuts(t *testing.T) {
	const count = 3000
	r := rove(t, policy.History{Messages: count, Bytes: 16 << 20}, count, 60, (*rover).liveByEvents)
	for i, n := range r.heard {
		if i != n {
			t.Fatalf("heard %d in place of %d", n, i)
		}
	}
	if len(r.heard) != count || len(r.gaps) > 0 {
		t.Errorf("heard %d numbers of %d, was told of %d gaps", len(r.heard), count, len(r.gaps))
	}
}

// opening is what a stream says first.
type opening struct {
	id      string
	history string // JSON, from the 200
}

// open reads the beginning of a stream with a user's token for the service numbers.
func openEvents(t *testing.T, s *System, query, lastID string) opening {
	t.Helper()
	made := mint(t, s.running.Load().Tokens.Directory, user("a.example", nil, "numbers"))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/events?token_name="+made.Name+"&token_hash="+made.Hash+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var o opening
	var e struct {
		Payload struct{ History json.RawMessage }
	}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "id":
			o.id = value
		case field == "data" && strings.Contains(value, `"authenticated"`):
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				t.Fatal(err)
			}
			o.history = string(e.Payload.History)
			return o
		}
	}
	t.Fatalf("the stream ended with status %d before its 200", answer.StatusCode)
	return o
}

// What a stream is told depends on what it asks for and on what it says about itself.
func TestIDsOfEvents(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listen.HTTP = true
	cfg.Policies = map[string]policy.Policy{"numbers_service": {Scopes: []policy.Scope{{To: policy.All}}, History: policy.History{Messages: 2}}}
	s := start(t, cfg)
	speaker, hears := join(t, s, remote("numbers", "numbers_service")), join(t, s, user("a.example", nil, "numbers"))
	for range 4 {
		speaker.sendf(`{"service":"numbers","payload":1}`)
		hears.gets(`"" numbers/ #"" 1`)
	}
	now := openEvents(t, s, "&history", "")
	position, ok := strings.CutPrefix(now.id, "numbers=")
	epoch, offset, _ := strings.Cut(position, ".")
	if !ok || offset != "4" || now.history != fmt.Sprintf(`{"numbers":{"epoch":%q,"offset":4}}`, epoch) {
		t.Fatalf("id %q, history %s; want offset 4", now.id, now.history)
	}
	at := func(offset int, recovered string) string {
		return fmt.Sprintf(`{"numbers":{"epoch":%q,"offset":%d%s}}`, epoch, offset, recovered)
	}
	const yes, no = `,"recovered":true`, `,"recovered":false`
	tests := map[string]struct{ query, id, wantID, want string }{
		"asks for nothing":            {"", "", "", ``},
		"as the browser says":         {"", "numbers=" + epoch + ".3", "numbers=" + epoch + ".3", at(3, yes)},
		"as the page says":            {"&history=" + url.QueryEscape("numbers="+epoch+".2"), "", "numbers=" + epoch + ".2", at(2, yes)},
		"the browser's is newer":      {"&history=" + url.QueryEscape("numbers="+epoch+".2"), "numbers=" + epoch + ".4", now.id, at(4, yes)},
		"too long ago":                {"", "numbers=" + epoch + ".1", now.id, at(4, no)},
		"after the last one":          {"", "numbers=" + epoch + ".5", now.id, at(4, no)},
		"another epoch":               {"", "numbers=aaaaaaaaaaaa.3", now.id, at(4, no)},
		"no position":                 {"", "numbers=x", now.id, at(4, no)},
		"a position with a line feed": {"", "numbers=" + epoch + ".3%0Adata:+x", now.id, at(4, no)},
		"no id":                       {"", "%zz", now.id, at(4, "")},
		"an id that was too long":     {"", "-", now.id, at(4, "")},
		"not subscribed":              {"", "other=" + epoch + ".3", now.id, fmt.Sprintf(`{"numbers":{"epoch":%q,"offset":4},"other":{"recovered":false}}`, epoch)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := openEvents(t, s, test.query, test.id)
			if got.id != test.wantID || got.history != test.want {
				t.Errorf("id %q, history %s\nwant %q, %s", got.id, got.history, test.wantID, test.want)
			}
		})
	}
}

// What a stream gets because it came back does not count for the bound of what may wait for it.
func TestReplayIsNotBounded(t *testing.T) {
	const count = 100
	cfg := testConfig(t)
	cfg.Listen.HTTP, cfg.Limits.OutboundMessages = true, 16
	cfg.Policies = map[string]policy.Policy{"numbers_service": {Scopes: []policy.Scope{{To: policy.All}}, History: policy.History{Messages: count}}}
	s := start(t, cfg)
	speaker, hears := join(t, s, remote("numbers", "numbers_service")), join(t, s, user("a.example", nil, "numbers"))
	speaker.sendf(`{"service":"numbers","payload":0}`)
	hears.gets(`"" numbers/ #"" 0`)
	id := openEvents(t, s, "&history", "").id
	for i := range count {
		speaker.sendf(`{"service":"numbers","payload":%d}`, i)
		hears.gets(fmt.Sprintf(`"" numbers/ #"" %d`, i))
	}
	made := mint(t, cfg.Tokens.Directory, user("a.example", nil, "numbers"))
	answer, err := http.Get("http://" + s.Addr().String() + "/events?token_name=" + made.Name + "&token_hash=" + made.Hash + "&history=" + url.QueryEscape(id)) //nolint:noctx // the body is closed
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	r := &rover{last: count - 1, admitted: make(chan bool, 1)}
	r.readEvents(bufio.NewReader(answer.Body), id)
	if r.failure != nil || len(r.heard) != count || len(r.gaps) > 0 {
		t.Errorf("heard %d of %d, gaps %v, %v", len(r.heard), count, r.gaps, r.failure)
	}
}
