package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
)

// answer is what a Request under way comes to.
type answer struct {
	reply *Reply
	err   error
}

// asking calls Request on a goroutine of its own, as the test plays the router.
func asking(ctx context.Context, c *Client, payload any) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		reply, err := c.Request(ctx, "directory", "lookup", payload)
		done <- answer{reply, err}
	}()
	return done
}

func TestRequestOnTheWire(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	tests := []struct {
		name    string
		payload any
		want    string
	}{
		{"nothing", nil, `{}`},
		{"struct", struct{ Extension string }{"1001"}, `{"Extension":"1001"}`},
		{"raw", json.RawMessage(`[1, 2]`), `[1,2]`},
		{"null", json.RawMessage(`null`), `null`},
		{"quotes and accents", `"é"` + "\n", `"\"é\"\n"`},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			done := asking(t.Context(), c, test.payload)
			m := p.Next()
			if id := fmt.Sprintf("%q", fmt.Sprint(i+1)); string(m.RequestID) != id {
				t.Errorf("request id is %s, want %s", m.RequestID, id)
			}
			if m.Service != "directory" || m.Topic != "lookup" || m.Token != nil {
				t.Errorf("service %q, topic %q, token %v", m.Service, m.Topic, m.Token)
			}
			if string(m.Payload) != test.want {
				t.Errorf("payload is %s, want %s", m.Payload, test.want)
			}
			p.Reply(m, 200, nil)
			if a := <-done; a.err != nil {
				t.Error(a.err)
			}
		})
	}
}

func TestReply(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	tests := []struct {
		name  string
		reply clienttest.Object // beside request_id
		want  Reply
	}{
		{"full", clienttest.Object{"service_name": "directory", "topic": "found", "status_string": "ok", "status_code": 200, "payload": clienttest.Object{"name": "Ada"}},
			Reply{Service: "directory", Topic: "found", Status: "ok", Code: 200, Payload: json.RawMessage(`{"name":"Ada"}`)}},
		{"bare", clienttest.Object{}, Reply{Payload: json.RawMessage(`null`)}},
		{"empty status code", clienttest.Object{"status_code": ""}, Reply{Payload: json.RawMessage(`null`)}},
		{"status code as text", clienttest.Object{"status_code": "201"}, Reply{Code: 201, Payload: json.RawMessage(`null`)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			done := asking(t.Context(), c, nil)
			test.reply["request_id"] = p.Next().RequestID
			p.Send(test.reply)
			a := <-done
			if a.err != nil {
				t.Fatal(a.err)
			}
			if fmt.Sprintf("%+v", *a.reply) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("reply is %+v, want %+v", *a.reply, test.want)
			}
		})
	}
}

func TestReplyDecode(t *testing.T) {
	r := Reply{Service: "directory", Topic: "found", Payload: json.RawMessage(`{"name":"Ada"}`)}
	var got struct{ Name string }
	if err := r.Decode(&got); err != nil || got.Name != "Ada" {
		t.Errorf("got %+v, %v", got, err)
	}
	var wrong []int
	if err := r.Decode(&wrong); err == nil || !strings.Contains(err.Error(), `decode payload of service "directory", topic "found"`) {
		t.Errorf("error is %v", err)
	}
}

func TestStatusErrors(t *testing.T) {
	sentinels := []error{ErrBadRequest, ErrUnauthorized, ErrForbidden, ErrNotFound, ErrUnavailable}
	tests := []struct {
		code int
		want error
	}{
		{399, nil}, {400, ErrBadRequest}, {401, ErrUnauthorized}, {403, ErrForbidden},
		{404, ErrNotFound}, {409, nil}, {500, nil}, {503, ErrUnavailable},
	}
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	for _, test := range tests {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			done := asking(t.Context(), c, nil)
			p.Reply(p.Next(), test.code, clienttest.Object{"why": "because"})
			a := <-done
			if test.code < 400 {
				if a.err != nil || a.reply.Code != test.code {
					t.Errorf("got %+v, %v", a.reply, a.err)
				}
				return
			}
			status, ok := errors.AsType[*StatusError](a.err)
			if !ok || a.reply != nil {
				t.Fatalf("got %+v, %v", a.reply, a.err)
			}
			if status.Code != test.code || status.Status != "ok" || status.Service != "directory" || status.Topic != "lookup" {
				t.Errorf("error is %+v", status)
			}
			if string(status.Payload) != `{"why":"because"}` {
				t.Errorf("payload is %s", status.Payload)
			}
			for _, sentinel := range sentinels {
				if got := errors.Is(a.err, sentinel); got != (sentinel == test.want) {
					t.Errorf("errors.Is %v is %v", sentinel, got)
				}
			}
			if !strings.Contains(a.err.Error(), fmt.Sprintf(`request "lookup" of "directory": status %d`, test.code)) {
				t.Errorf("text is %q", a.err)
			}
		})
	}
}

func TestRequestIsRefusedHere(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{Limits: Limits{MessageBytes: 1000}})
	deep := json.RawMessage(strings.Repeat("[", 1500) + strings.Repeat("]", 1500))
	tests := []struct {
		name    string
		service string
		payload any
		says    string
	}{
		{"no service", "", nil, "service name is empty"},
		{"authentication", "authentication", nil, "reserved for the router"},
		{"not encodable", "s", math.Inf(1), "encode payload: json: unsupported value"},
		{"not JSON", "s", json.RawMessage(`{`), "encode payload"},
		{"not UTF-8", "s", json.RawMessage("\"\xff\""), "encode payload: not UTF-8"},
		{"lone surrogate", "s", json.RawMessage(`"\ud800"`), "encode payload: not JSON"},
		{"too deep", "s", deep, "encode payload: nested too deeply"},
		{"too long", "s", strings.Repeat("x", 1000), "is above the limit of 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := c.Request(t.Context(), test.service, "t", test.payload)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error is %v, want it to hold %q", err, test.says)
			}
		})
	}
	// None of these may have cost the connection.
	done := asking(t.Context(), c, nil)
	p.Reply(p.Next(), 200, nil)
	if a := <-done; a.err != nil {
		t.Error(a.err)
	}
}

func TestRepliesFindTheirRequests(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	const n = 50
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			reply, err := c.Request(t.Context(), "echo", "t", i)
			if err != nil {
				t.Error(err)
				return
			}
			if string(reply.Payload) != fmt.Sprint(i) {
				t.Errorf("request %d got the reply %s", i, reply.Payload)
			}
		})
	}
	asked := make([]clienttest.Message, n)
	for i := range asked {
		asked[i] = p.Next()
	}
	p.Send(clienttest.Object{"request_id": "4711", "payload": "nobody asked"})
	p.Send(clienttest.Object{"request_id": clienttest.Object{"a": 1}, "payload": "nobody asked"})
	p.Frame(1, []byte("not JSON"))
	for i := n - 1; i >= 0; i-- { // the last first
		p.Reply(asked[i], 200, asked[i].Payload)
		p.Reply(asked[i], 200, "a second reply, which is ignored")
	}
	wg.Wait()
	if left := len(c.calls.sinks); left != 0 {
		t.Errorf("%d requests are still waited for", left)
	}
}

func TestRequestEndsWithItsContext(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})

	ctx, cancel := context.WithCancel(t.Context())
	done := asking(ctx, c, nil)
	late := p.Next()
	cancel()
	if a := <-done; !errors.Is(a.err, context.Canceled) || errors.Is(a.err, ErrTimeout) {
		t.Errorf("error is %v", a.err)
	}

	ctx, cancel = context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if a := <-asking(ctx, c, nil); !errors.Is(a.err, ErrTimeout) || !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("error is %v", a.err)
	}

	// A late reply disturbs nothing.
	p.Reply(late, 200, "late")
	done = asking(t.Context(), c, nil)
	p.Reply(p.Next(), 200, "in time")
	if a := <-done; a.err != nil || string(a.reply.Payload) != `"in time"` {
		t.Errorf("got %+v, %v", a.reply, a.err)
	}
}

func TestRequestTimeout(t *testing.T) {
	tests := []struct {
		name    string
		timeout time.Duration // the option
		caller  time.Duration // the caller's deadline, 0: none
		want    time.Duration
	}{
		{"default", 0, 0, 30 * time.Second},
		{"option", 3 * time.Second, 0, 3 * time.Second},
		{"the caller's is longer", 3 * time.Second, time.Minute, time.Minute},
		{"the caller's is shorter", 3 * time.Second, time.Second, time.Second},
		{"none but the caller's", -1, time.Hour, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := newPipedRouter(t).online(Options{RequestTimeout: test.timeout, PingInterval: -1})
				ctx := t.Context()
				if test.caller > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.caller)
					defer cancel()
				}
				began := time.Now()
				done := asking(ctx, c, nil)
				p.Next() // and no reply
				if a := <-done; !errors.Is(a.err, ErrTimeout) {
					t.Errorf("error is %v", a.err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("gave up after %v, want %v", took, test.want)
				}
				go p.Farewell()
				c.Close()
			})
		})
	}
}
