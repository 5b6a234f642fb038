package envelope

import (
	"strings"
	"testing"
)

// typical returns a message of 600 bytes, as a service sends it.
func typical(tb testing.TB) []byte {
	tb.Helper()
	const head = `{"service_name":"active.calls","topic":"calls","status_string":"ok","status_code":200,"request_id":"2",` +
		`"resource_id":"6a6a28cc7b95d97db30eba6e36fda34f","payload":{"event_name":"CHANNEL_CALLSTATE","caller_context":"a.example.com",` +
		`"channel_presence_id":"1001@a.example.com","unique_id":"11111111-1111-4111-8111-111111111111","answered":true,"seconds":12.5,"note":"`
	const tail = `"}}`
	data := []byte(head + strings.Repeat("x", 600-len(head)-len(tail)) + tail)
	if len(data) != 600 {
		tb.Fatalf("the message has %d bytes", len(data))
	}
	return data
}

func BenchmarkDecode(b *testing.B) {
	data := typical(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data, 64); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m, err := Decode(typical(b), 64)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		dst = m.Append(dst[:0])
	}
}

func BenchmarkKeyOf(b *testing.B) {
	for _, c := range []struct{ name, raw string }{
		{"text", `"42"`}, {"escaped", `"a\/b"`}, {"number", `42`}, {"list", `[1,{"a":{}}]`}, {"long", `"` + strings.Repeat("x", 1000) + `"`},
	} {
		b.Run(c.name, func(b *testing.B) {
			raw := []byte(c.raw)
			b.ReportAllocs()
			for b.Loop() {
				KeyOf(raw)
			}
		})
	}
}
