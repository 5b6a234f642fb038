package system

import (
	"fmt"
	"strings"
	"testing"
)

// hostileMessages are messages that readers of JSON have stumbled over. Each may be answered, ignored or passed on.
func hostileMessages() []string {
	const begin = `{"service":"echo","topic":"say","request_id":"h",`
	many := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	return []string{
		"", " ", "null", "true", "7", `""`, "[]", "{}", "{", "}", "[", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{'a':1}`, `{a:1}`,
		`{"a":1}{"a":1}`, `{"a":1} x`, "\xEF\xBB\xBF" + `{"a":1}`, `{"a":1}` + "\x00", "/* */{}", `{"a":NaN}`, `{"a":Infinity}`, `{"a":-}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":0x10}`, `{"a":1e}`, `{"a":+1}`,
		begin + `"payload":1e999}`, begin + `"payload":-1e999}`, begin + `"payload":1e-999}`, begin + `"payload":` + strings.Repeat("9", 100_000) + `}`, begin + `"payload":0.` + strings.Repeat("0", 100_000) + `1}`,
		begin + `"payload":"\ud800"}`, begin + `"payload":"\udc00\ud800"}`, begin + `"payload":"\u0000"}`, begin + `"payload":"\x"}`, begin + `"payload":"\u12"}`, begin + "\"payload\":\"\x01\"}", begin + "\"payload\":\"\n\"}",
		begin + `"payload":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, strings.Repeat("[", 500_000), strings.Repeat(`{"a":`, 100_000),
		begin + `"payload":` + strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600) + `}`,
		begin + `"payload":{` + many(50_000, func(i int) string { return fmt.Sprintf(`"k%d":%d,`, i, i) }) + `"z":1}}`,
		`{` + many(20_000, func(i int) string { return fmt.Sprintf(`"k%d":%d,`, i, i) }) + begin[1:] + `"payload":1}`,
		`{` + strings.Repeat(`"payload":1,`, 20_000) + begin[1:] + `"payload":1}`, begin + `"` + strings.Repeat("k", 500_000) + `":1,"payload":1}`,
		begin + `"payload":{"__proto__":{"a":1},"constructor":{"prototype":{}},"__construct":"x","__destruct":[]}}`, begin + `"__construct":"x","send":"y","payload":1}`,
		`{"service":"` + strings.Repeat("s", 500_000) + `","topic":"say","request_id":"h"}`, `{"service":"\u0000","request_id":"h"}`, `{"service":"../../etc/passwd","request_id":"h"}`, `{"service":"authentication","request_id":"h"}`,
		`{"service":"authentication","token":[],"request_id":"h"}`, `{"service":"authentication","token":{"name":{},"hash":[]},"request_id":"h"}`, `{"service":{"a":1},"request_id":"h"}`, `{"service":["echo"],"request_id":"h"}`, `{"service":1e400,"request_id":"h"}`,
		`{"service":"echo","topic":"` + strings.Repeat("t", 300_000) + `","request_id":"h"}`, `{"service":"echo","topic":"say","request_id":[[[["h"]]]]}`, `{"service":"echo","topic":"say","request_id":{"` + strings.Repeat("i", 1000) + `":1}}`,
		begin + `"payload":{"a":1` + strings.Repeat(" ", 300_000) + `}}`, begin + `"status_code":1e999,"payload":1}`, begin + `"status_code":"200","statusCode":[],"payload":1}`, begin + `"permissions":` + strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300) + `}`,
	}
}

// No message of JSON, or of what looks like it, stops the router, its services or anybody else, whoever sends it.
func TestHostileJSON(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "503"
	s := start(t, cfg, parrot("echo"))
	bystander := join(t, s, user("a.example", nil, "texts"))
	client, service := join(t, s, user("a.example", nil)), join(t, s, remote("texts", ""))
	until := func(p *peer, id, message string) {
		t.Helper()
		p.sendf("%s", message)
		for {
			if got := p.next(); string(got.RequestID) == id {
				return
			}
		}
	}
	for i, message := range hostileMessages() {
		client.sendf("%s", message)
		until(client, fmt.Sprint(i), fmt.Sprintf(`{"service":"nobody","request_id":%d}`, i))
		service.sendf("%s", strings.ReplaceAll(message, `"service":"echo"`, `"service_name":"texts"`))
		until(service, fmt.Sprint(i), fmt.Sprintf(`{"service":"authentication","request_id":%d}`, i))
		if len(message) < 8<<10 {
			stranger := connectAt(t, s.Addr().String())
			stranger.sendf("%s", message)
			until(stranger, fmt.Sprint(i), fmt.Sprintf(`{"service":"nobody","request_id":%d}`, i))
			stranger.leave()
		}
	}
	bystander.quiet()
	if n := s.counters().Panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
	t.Logf("%d messages", len(hostileMessages()))
}
