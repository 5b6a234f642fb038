package admin

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/system/internal/introspect"
)

func TestHealth(t *testing.T) {
	s := listen(t, &fake{problems: []introspect.Problem{{Part: "tokens"}}}, nil)
	get(t, s, "/healthz").want(t, http.StatusOK, `{"status":"ok"}`)
	s = listen(t, &fake{lost: []introspect.Problem{{Part: "router", Reason: "has not answered for 6s"}}}, nil)
	get(t, s, "/healthz").want(t, http.StatusServiceUnavailable, `{"problems":[{"part":"router","reason":"has not answered for 6s"}],"status":"hangs"}`)
}

func TestScript(t *testing.T) {
	script := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "script at "+r.URL.Path)
	})
	with := listen(t, new(fake), func(o *Options) { o.Script = script })
	got := get(t, with, ScriptAt)
	got.want(t, http.StatusOK)
	if got.body != "script at "+ScriptAt {
		t.Errorf("body is %q", got.body)
	}
	get(t, with, ScriptAt+"/more").want(t, http.StatusNotFound)
	get(t, listen(t, new(fake), nil), ScriptAt).want(t, http.StatusNotFound)
}

func TestReady(t *testing.T) {
	tests := map[string]struct {
		problems, notes []introspect.Problem
		status          int
		body            string
	}{
		"ready": {nil, nil, http.StatusOK, `{"ready":true,"problems":[]}`},
		"alone": {nil, []introspect.Problem{{Part: "cluster", Reason: "the bus is away"}}, http.StatusOK,
			`{"ready":true,"problems":[],"notes":[{"part":"cluster","reason":"the bus is away"}]}`},
		"not ready": {[]introspect.Problem{{Part: "tokens", Reason: "directory is gone"}, {Part: "service a", Reason: "waiting"}}, nil,
			http.StatusServiceUnavailable,
			`{"ready":false,"problems":[{"part":"tokens","reason":"directory is gone"},{"part":"service a","reason":"waiting"}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := get(t, listen(t, &fake{problems: test.problems, notes: test.notes}, nil), "/readyz")
			got.want(t, test.status)
			if strings.TrimSpace(got.body) != test.body {
				t.Errorf("got %s, want %s", got.body, test.body)
			}
		})
	}
}

func depth(n int) *int { return &n }

func sampleTree() introspect.Node {
	since := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	return introspect.Node{Name: "root", Kind: "supervisor", State: introspect.Running, Since: since, Breaker: introspect.Closed,
		Children: []introspect.Node{
			{Name: "clock", Kind: "service", State: introspect.Waiting, Since: since, Generation: 4, Restarts: 3, Failures: 5,
				Abandoned: 1, Backoff: 1500, Breaker: introspect.Open, Mailbox: depth(7),
				Last: &introspect.Failure{At: since, Reason: "<boom>"}},
		}}
}

func TestTree(t *testing.T) {
	got := get(t, listen(t, &fake{tree: sampleTree()}, nil), "/tree")
	got.want(t, http.StatusOK)
	var root introspect.Node
	if err := json.Unmarshal([]byte(got.body), &root); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(sampleTree())
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(root); string(again) != string(want) {
		t.Errorf("got %s, want %s", again, want)
	}
	for _, key := range []string{"name", "kind", "state", "since", "generation", "restarts", "failures", "last_failure",
		"backoff_remaining_ms", "breaker", "mailbox_depth", "children"} {
		if !strings.Contains(got.body, `"`+key+`":`) {
			t.Errorf("no key %s in %s", key, got.body)
		}
	}
}

func TestCluster(t *testing.T) {
	alone := introspect.Cluster{Nodes: []introspect.ClusterNode{}}
	get(t, listen(t, &fake{cluster: alone}, nil), "/cluster").want(t, http.StatusOK, `{"clustered":false,"nodes":[]}`)
	two := introspect.Cluster{Clustered: true, Name: "c", Node: "a", Bus: &introspect.Bus{Connected: true, Server: "inside", Listen: "127.0.0.1:7001", Routes: 1},
		Nodes: []introspect.ClusterNode{{Name: "a", State: "self", Services: []introspect.ClusterService{{Name: "clock", Inside: true, Instances: 1}}, Watches: []string{}}}}
	get(t, listen(t, &fake{cluster: two}, nil), "/cluster").want(t, http.StatusOK, `"clustered":true`, `"name":"c"`, `"routes":1`,
		`"services":[{"name":"clock","inside":true,"instances":1}]`, `"watches":[]`, `"state":"self"`)
}

func TestRefusals(t *testing.T) {
	get(t, listen(t, &fake{}, nil), "/refusals").want(t, http.StatusOK, `{"refusals":[]}`)
	one := introspect.Refusal{Cause: "token", Count: 2, Message: "authentication refused", Attributes: map[string]string{"remote": "192.0.2.1:9"}}
	get(t, listen(t, &fake{refusals: []introspect.Refusal{one}}, nil), "/refusals").want(t, http.StatusOK,
		`"cause":"token","count":2,`, `"message":"authentication refused","attributes":{"remote":"192.0.2.1:9"}`)
}

func TestDeadLetters(t *testing.T) {
	const secret = "said in confidence"
	source := &fake{letters: []introspect.DeadLetter{
		{Number: 2, Reason: "late_reply", Service: "active.calls", Bytes: len(secret), Payload: []byte(secret)}, {Number: 1, Reason: "expired"}}}
	tests := map[string]struct {
		payloads bool
		shown    bool
	}{
		"redacted":      {false, false},
		"with payloads": {true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := listen(t, source, func(o *Options) { o.Payloads = test.payloads })
			got := get(t, s, "/deadletters")
			got.want(t, http.StatusOK, `"number":2`, `"number":1`, `"reason":"late_reply"`, `"payload_bytes":18`)
			if strings.Contains(got.body, secret) != test.shown {
				t.Errorf("got %s", got.body)
			}
		})
	}
	get(t, listen(t, &fake{}, nil), "/deadletters").want(t, http.StatusOK, `{"letters":[]}`)
}

func TestProfilesAreOffUnlessSet(t *testing.T) {
	tests := map[string]struct {
		on     bool
		path   string
		status int
	}{
		"off, index":            {false, "/debug/pprof/", http.StatusNotFound},
		"off, heap":             {false, "/debug/pprof/heap", http.StatusNotFound},
		"off, profile":          {false, "/debug/pprof/profile", http.StatusNotFound},
		"on, index":             {true, "/debug/pprof/", http.StatusOK},
		"on, heap":              {true, "/debug/pprof/heap", http.StatusOK},
		"on, goroutines":        {true, "/debug/pprof/goroutine?debug=1", http.StatusOK},
		"on, command line":      {true, "/debug/pprof/cmdline", http.StatusOK},
		"on, symbols":           {true, "/debug/pprof/symbol", http.StatusOK},
		"on, unknown":           {true, "/debug/pprof/nothing", http.StatusNotFound},
		"on, without the slash": {true, "/debug/pprof", http.StatusNotFound},
		"too long":              {true, "/debug/pprof/profile?seconds=121", http.StatusBadRequest},
		"no time":               {true, "/debug/pprof/trace?seconds=0", http.StatusBadRequest},
		"no number":             {true, "/debug/pprof/trace?seconds=1e9", http.StatusBadRequest},
		"given twice":           {true, "/debug/pprof/trace?seconds=x&seconds=1", http.StatusBadRequest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := listen(t, &fake{}, func(o *Options) { o.Profiling = test.on })
			get(t, s, test.path).want(t, test.status)
		})
	}
}

// A profile outlasts the time in which a request has to arrive and an answer to be written.
func TestProfileRunsItsTime(t *testing.T) {
	s := listen(t, &fake{}, func(o *Options) {
		o.Profiling = true
		o.ReadTimeout, o.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	})
	begin := time.Now()
	got := get(t, s, "/debug/pprof/trace?seconds=1")
	got.want(t, http.StatusOK)
	if took := time.Since(begin); took < time.Second || len(got.body) == 0 {
		t.Errorf("a trace of 1s took %s and has %d bytes", took, len(got.body))
	}
}

// The profiles of waiting goroutines hold what happens during the request. At other times nothing is noted. A profile has
// only a sample, so one of a busy machine may lack the waits that the test makes; the next one has them.
func TestWaitsAreProfiled(t *testing.T) {
	for _, name := range []string{"block", "mutex"} {
		t.Run(name, func(t *testing.T) {
			s := listen(t, &fake{}, func(o *Options) { o.Profiling = true })
			over := make(chan struct{})
			var waiting sync.WaitGroup
			waiting.Go(func() { contend(over) })
			defer waiting.Wait()
			defer close(over)
			profile := ""
			for begin := time.Now(); !strings.Contains(profile, "admin.contend"); {
				if time.Since(begin) > patience {
					t.Fatalf("the profile has %d bytes and does not say which functions waited", len(profile))
				}
				got := get(t, s, "/debug/pprof/"+name+"?seconds=1")
				got.want(t, http.StatusOK)
				profile = unpack(t, got.body)
			}
			if fraction := runtime.SetMutexProfileFraction(-1); fraction != 0 {
				t.Errorf("one in %d is still noted", fraction)
			}
		})
	}
}

// unpack returns a profile without its compression.
func unpack(t *testing.T, body string) string {
	t.Helper()
	unpacked, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return string(profile)
}

// contend has goroutines wait for one another until over is closed. Each round has a mutex of its own, because
// the runtime notes nothing of a mutex for which goroutines have waited without a break since before it was asked
// to.
func contend(over <-chan struct{}) {
	for {
		var mu sync.Mutex
		var round sync.WaitGroup
		for range 4 {
			round.Go(func() {
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
			})
		}
		round.Wait()
		select {
		case <-over:
			return
		default:
		}
	}
}
