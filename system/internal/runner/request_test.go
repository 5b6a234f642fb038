package runner

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

func TestAnswers(t *testing.T) {
	type in struct {
		Name string `json:"name"`
		Deep struct {
			Count int `json:"count"`
		} `json:"deep"`
	}
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("reply", func(r service.Request) error { r.Reply(map[string]int{"a": 1}); return nil })
		s.Handle("nothing", func(r service.Request) error { r.Reply(nil); return nil })
		s.Handle("raw", func(r service.Request) error { r.Reply(json.RawMessage(`{"b": 1.0}`)); return nil })
		s.Handle("bad raw", func(r service.Request) error { r.Reply(json.RawMessage(`{"b":`)); return nil })
		s.Handle("bad utf8", func(r service.Request) error { r.Reply(json.RawMessage("\"\xff\"")); return nil })
		s.Handle("bad value", func(r service.Request) error { r.Reply(make(chan int)); return nil })
		s.Handle("with", func(r service.Request) error { r.ReplyWith("other", 202, "later"); return nil })
		s.Handle("bare", func(r service.Request) error { r.ReplyWith("bare", 0, 1); return nil })
		s.Handle("with error", func(r service.Request) error { r.ReplyWith("action_response", 400, "no"); return nil })
		s.Handle("fail", func(r service.Request) error { r.Fail(403, "not yours"); return nil })
		s.Handle("stream", func(r service.Request) error { r.Stream("row", 1); r.Stream("row", 2); r.End(); return nil })
		s.Handle("stream reply", func(r service.Request) error { r.Stream("row", 1); r.Reply("done"); return nil })
		s.Handle("twice", func(r service.Request) error {
			r.Reply(1)
			r.Reply(2)
			r.Fail(500, "x")
			r.Stream("y", 3)
			r.End()
			return nil
		})
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.Handle("say", func(r service.Request) error { r.Broadcast("news", r.Topic()); r.Reply(nil); return nil })
		service.Handle(s, "typed", func(r service.Request, in in) error { r.Reply(in); return nil })
		return nil
	}}
	zero := `{"name":"","deep":{"count":0}}`
	tests := map[string]struct {
		topic, payload string
		want           []string // without the id of answers
	}{
		"reply":             {"reply", "", []string{`200 reply {"a":1}`}},
		"no payload":        {"nothing", "", []string{`200 nothing null`}},
		"raw as it is":      {"raw", "", []string{`200 raw {"b": 1.0}`}},
		"raw that is none":  {"bad raw", "", []string{`500 bad raw null`}},
		"raw not UTF-8":     {"bad utf8", "", []string{`500 bad utf8 null`}},
		"not to be encoded": {"bad value", "", []string{`500 bad value null`}},
		"other topic":       {"with", "", []string{`202 other "later"`}},
		"no status":         {"bare", "", []string{` bare 1`}},
		"error of its own":  {"with error", "", []string{`400 action_response "no"`}},
		"failure":           {"fail", "", []string{`403 fail {"reason":"not yours"}`}},
		"stream":            {"stream", "", []string{`200 row 1`, `200 row 2`}},
		"stream and reply":  {"stream reply", "", []string{`200 row 1`, `200 stream reply "done"`}},
		"answered twice":    {"twice", "", []string{`200 twice 1`}},
		"unknown topic":     {"what", "", []string{`404 what null`}},
		"absent payload":    {"echo", "", []string{`200 echo null`}},
		"payload untouched": {"echo", `{"a" :1e2}`, []string{`200 echo {"a" :1e2}`}},
		"broadcast":         {"say", "", []string{`news "say"`, `200 say null`}},
		"typed":             {"typed", `{"name":"n","deep":{"count":3},"more":1}`, []string{`200 typed {"name":"n","deep":{"count":3}}`}},
		"typed, absent":     {"typed", ``, []string{`200 typed ` + zero}},
		"typed, null":       {"typed", `null`, []string{`200 typed ` + zero}},
		"typed, PHP's {}":   {"typed", `[]`, []string{`200 typed ` + zero}},
		"typed, misfit":     {"typed", `{"deep":{"count":"3"}}`, []string{`400 typed {"reason":"payload.deep.count is string, must be int"}`}},
		"typed, wrong kind": {"typed", `7`, []string{`400 typed {"reason":"payload is number, must be runner.in"}`}},
	}
	r := start(t, s)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r.t = t
			id := r.ask(test.topic, test.payload)
			for _, want := range test.want {
				if want[0] == ' ' || want[0] >= '0' && want[0] <= '9' {
					want = id + " " + want
				}
				r.want(want)
			}
			id = r.ask("reply", "") // behind which nothing more comes
			r.want(id + ` 200 reply {"a":1}`)
		})
	}
	r.stop()
	if n := r.instance.State().Open; n != 0 {
		t.Errorf("%d requests are open", n)
	}
	if got := r.released.Load(); got != int64(r.asks) {
		t.Errorf("%d of %d requests were released", got, r.asks)
	}
	if got := r.instance.Counters().Surplus.Load(); got != 4 {
		t.Errorf("%d answers too many counted, want 4", got)
	}
}

// TestBroadcastWith: pages that look at the status of a push find one.
func TestBroadcastWith(t *testing.T) {
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error {
			r.BroadcastWith("never", 0, 1)
			r.BroadcastWith("fine", 200, 1)
			r.BroadcastWith("bad", 503, 1)
			r.Broadcast("plain", 1)
			r.End()
			return nil
		})
		return nil
	}}
	r := start(t, s)
	r.ask("say", "")
	for _, want := range []string{`"fine" "ok" 200`, `"bad" "error" 503`, `"plain"  `} {
		e := await(t, r.said)
		if got := fmt.Sprintf("%s %s %s", e.Topic, e.StatusString, e.StatusCode); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := r.instance.Counters().Unencoded.Load(); got != 1 {
		t.Errorf("%d broadcasts that cannot be sent counted, want 1", got)
	}
}

// TestEcho looks at the envelope itself: both ids byte for byte, the status pages judge by.
func TestEcho(t *testing.T) {
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("ok", func(r service.Request) error { r.Reply(1); return nil })
		s.Handle("bad", func(r service.Request) error { r.Fail(400, "success"); return nil })
		s.Handle("gone", func(r service.Request) error { r.Fail(410, "x"); return nil })
		s.Handle("no", func(r service.Request) error { r.ReplyWith("answer", 400, false); return nil })
		return nil
	}}
	tests := map[string]struct{ id, topic, status string }{
		"text":        {`"7"`, "ok", `"ok"`},
		"number":      {`7.0`, "ok", `"ok"`},
		"escapes":     {`"a\/b\u0041"`, "ok", `"ok"`},
		"list":        {`[1, {"a":null}]`, "ok", `"ok"`},
		"bad request": {`"8"`, "bad", `""`},
		"other error": {`"9"`, "gone", `"error"`},
		"not found":   {`"10"`, "none", `"error"`},
		"own error":   {`"11"`, "no", `"error"`},
	}
	r := start(t, s)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r.askAs("s\\u0062", test.id, test.topic, "")
			e := await(t, r.said)
			if string(e.RequestID) != test.id || string(e.ResourceID) != `"s\\u0062"` {
				t.Errorf("ids %s and %s, want %s", e.RequestID, e.ResourceID, test.id)
			}
			if string(e.StatusString) != test.status {
				t.Errorf("status_string %s, want %s", e.StatusString, test.status)
			}
			if string(e.ServiceName) != `"test"` {
				t.Errorf("service_name %s", e.ServiceName)
			}
			if _, err := envelope.Decode(e.Append(nil), envelope.MaxDepth); err != nil {
				t.Errorf("envelope: %v", err)
			}
		})
	}
}

func TestSubscriber(t *testing.T) {
	type seen struct {
		subscriber *service.Subscriber
		deadline   time.Time
	}
	got := make(chan seen, 1)
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("who", func(r service.Request) error {
			deadline, _ := r.Deadline()
			got <- seen{r.Subscriber(), deadline}
			r.End()
			return nil
		})
		return nil
	}, RequestTimeout: time.Minute}
	r := start(t, s)
	deadline := r.clock.Now().Add(time.Second)
	r.instance.Ask(&Ask{Envelope: &envelope.Envelope{Topic: envelope.Raw(`"who"`), ResourceID: envelope.Raw(`"x"`), RequestID: envelope.Raw(`1`),
		Permissions: envelope.Raw(`{"b":true,"a":true}`), DomainName: envelope.Raw(`"a.example.com"`), DomainUUID: envelope.Raw(`"u"`)},
		User: service.User{Name: "admin"}, Deadline: deadline})
	saw := await(t, got)
	who := saw.subscriber
	if who.ID != "x" || who.DomainName != "a.example.com" || who.DomainUUID != "u" || who.User.Name != "admin" {
		t.Errorf("subscriber %+v", who)
	}
	if !who.Has("a") || who.Has("c") || len(who.Permissions) != 2 || who.Permissions[0] != "a" {
		t.Errorf("permissions %v", who.Permissions)
	}
	if !saw.deadline.Equal(deadline) {
		t.Errorf("deadline %s, want the home's %s", saw.deadline, deadline)
	}
	r.instance.Ask(&Ask{Envelope: &envelope.Envelope{Topic: envelope.Raw(`"who"`), RequestID: envelope.Raw(`1`), Permissions: envelope.Raw(`[]`)}})
	saw = await(t, got)
	if len(saw.subscriber.Permissions) != 0 || saw.subscriber.Has("a") {
		t.Errorf("permissions %v, want none", saw.subscriber.Permissions)
	}
	if want := r.clock.Now().Add(time.Minute); !saw.deadline.Equal(want) {
		t.Errorf("deadline %s, want the service's %s", saw.deadline, want)
	}
}
