package dialect

import (
	"encoding/json"
	"strings"
	"testing"

	"strowger/bench/load"
)

// data is JSON with that number's mark in it.
func data(number uint32) string {
	mark := make([]byte, load.MarkSize)
	load.Mark{Seq: number}.Put(mark)
	return `{"mark":"` + string(mark) + `"}`
}

// What the service was sent, and what it is to say to that.
func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		dialect  Dialect
		received string
		want     []string // in the frames
		none     bool
		err      bool
	}{
		"strowger": {dialect: &Strowger{},
			received: `{"id":"a","payload":` + data(7) + `,"service_name":"bench","request_id":"12","resource_id":"beef","topic":"ask"}`,
			want:     []string{`"request_id":"12"`, `"resource_id":"beef"`, data(7), `"service_name":"bench"`}},
		"strowger, no request": {dialect: &Strowger{}, received: `{"request_id":"","resource_id":""}`, none: true},
		"nats, two in a message": {dialect: NATS{},
			received: "MSG ask.bench 1 inbox.3 32\r\n" + data(1) + "\r\nMSG ask.bench 1 inbox.4 32\r\n" + data(2) + "\r\n",
			want:     []string{"PUB inbox.3 32\r\n" + data(1) + "\r\n", "PUB inbox.4 32\r\n" + data(2) + "\r\n"}},
		"nats, no request":      {dialect: NATS{}, received: "PING\r\n", none: true},
		"nats, size is a lie":   {dialect: NATS{}, received: "MSG ask.bench 1 inbox.3 999\r\n" + data(1) + "\r\n", err: true},
		"hub":                   {dialect: Hub{}, received: "Q0000002a" + data(3), want: []string{"R0000002a" + data(3)}},
		"hub, no request":       {dialect: Hub{}, received: data(3), err: true},
		"centrifuge has nobody": {dialect: Centrifuge{}, received: data(3), err: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			frames, err := test.dialect.Answers(nil, "bench", []byte(test.received), []byte(data(0)))
			if (err != nil) != test.err || test.none && len(frames) > 0 {
				t.Fatalf("got %q, %v", frames, err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(frames), want) {
					t.Errorf("no %q in %q", want, frames)
				}
			}
		})
	}
}

func TestControl(t *testing.T) {
	tests := map[string]struct {
		dialect  Dialect
		received string
		want     string
		err      bool
	}{
		"strowger, a state":       {dialect: &Strowger{}, received: `{"status_code":"","topic":"service_state"}`},
		"strowger, a complaint":   {dialect: &Strowger{}, received: `{"status_code":503,"topic":"ask"}`, err: true},
		"centrifuge, a ping":      {dialect: Centrifuge{}, received: "{}", want: "{}"},
		"centrifuge, published":   {dialect: Centrifuge{}, received: `{"id":2,"publish":{}}`},
		"centrifuge, a complaint": {dialect: Centrifuge{}, received: `{"id":2,"error":{"code":103}}`, err: true},
		"nats, a ping":            {dialect: NATS{}, received: "PING\r\n", want: "PONG\r\n"},
		"nats, a complaint":       {dialect: NATS{}, received: "-ERR 'Unknown'\r\n", err: true},
		"hub, anything":           {dialect: Hub{}, received: "x", err: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer, err := test.dialect.Control([]byte(test.received))
			if string(answer) != test.want || (err != nil) != test.err {
				t.Fatalf("got %q, %v", answer, err)
			}
		})
	}
}

// A service inside the daemon replies what it likes, so the mark must be in the id and nowhere else.
func TestLocalRequest(t *testing.T) {
	s := &Strowger{LocalService: "clock", LocalTopic: "now"}
	request := string(s.Request(Local, 3, []byte(data(0))))
	if strings.Count(request, "~") != 1 || !strings.HasPrefix(request, `{"request_id":"~`) {
		t.Errorf("got %s, want one mark, in the id", request)
	}
	if !json.Valid([]byte(request)) || !strings.Contains(request, `"service":"clock","topic":"now"`) {
		t.Errorf("got %s", request)
	}
}
