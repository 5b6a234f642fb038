package client

import (
	"encoding/json"
	"testing"
)

func TestDecodeEnvelope(t *testing.T) {
	tests := []struct {
		name string
		data string
		want incoming // without payload and size
		json string   // payload
	}{
		{"greeting", `{"id":"c6e6","payload":null,"service_name":"authentication","token_name":"","token_hash":"","status_string":"Authentication Required","status_code":407,"request_id":"","resource_id":"","domain_uuid":"","domain_name":"","permissions":[],"topic":"authenticate"}`,
			incoming{service: "authentication", topic: "authenticate", status: "Authentication Required", code: 407}, `null`},
		{"reply", `{"payload":{"a":[1,2]},"service_name":"active.calls","status_string":"ok","status_code":200,"request_id":"2","topic":"in.progress"}`,
			incoming{service: "active.calls", topic: "in.progress", status: "ok", code: 200, requestID: "2"}, `{"a":[1,2]}`},
		{"id as a number", `{"request_id":7}`, incoming{requestID: "7"}, `null`},
		{"id as a list", `{"request_id":[7]}`, incoming{requestID: "[7]"}, `null`},
		{"empty ids make a broadcast", `{"request_id":"0"}`, incoming{}, `null`},
		{"null", `{"request_id":null,"topic":null,"status_code":null}`, incoming{}, `null`},
		{"wrong types", `{"service_name":{},"topic":[],"status_string":5,"status_code":"x"}`, incoming{}, `null`},
		{"escapes", `{"service_name":"a\/b","topic":"\u00e9"}`, incoming{service: "a/b", topic: "é"}, `null`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := decodeEnvelope([]byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			if string(e.payload) != test.json || e.size != len(test.data) {
				t.Errorf("payload is %s, size %d", e.payload, e.size)
			}
			got := *e
			got.payload, got.size = nil, 0
			if got.service != test.want.service || got.topic != test.want.topic || got.status != test.want.status ||
				got.code != test.want.code || got.requestID != test.want.requestID {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	for _, data := range []string{"", "null", `"x"`, "[1]", "{}", `{"a":`, "\xff"} {
		if e, err := decodeEnvelope([]byte(data)); err == nil {
			t.Errorf("%q is taken for %+v", data, e)
		}
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add([]byte(`{"payload":{"a":[1,2]},"service":"s","status_code":"200","request_id":{"x":1},"topic":"\ud83d\ude00"}`))
	f.Add([]byte(`{"request_id":1e400,"status_code":-0}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEnvelope(data)
		if err != nil {
			return
		}
		if !json.Valid(e.payload) {
			t.Errorf("payload %q of %q is not JSON", e.payload, data)
		}
		if !json.Valid(data) {
			t.Errorf("%q is taken for JSON", data)
		}
	})
}

// What encodeRequest writes must come back as it was.
func FuzzEncodeRequest(f *testing.F) {
	f.Add("active.calls", "in.progress", "text")
	f.Add("a\"b\\c/\x00", "\u2028\xff", "<>&\xf0\x9f\x98\x80")
	f.Fuzz(func(t *testing.T, service, topic, payload string) {
		frame, err := encodeRequest("7", service, topic, payload)
		if err != nil {
			t.Fatalf("encode %q, %q, %q: %v", service, topic, payload, err)
		}
		var got struct{ Service, Topic, Payload string }
		if err := json.Unmarshal(frame, &got); err != nil {
			t.Fatalf("%q: %v", frame, err)
		}
		for _, pair := range [][2]string{{service, got.Service}, {topic, got.Topic}, {payload, got.Payload}} {
			if want := string([]rune(pair[0])); pair[1] != want {
				t.Errorf("%q came back as %q", want, pair[1])
			}
		}
	})
}
