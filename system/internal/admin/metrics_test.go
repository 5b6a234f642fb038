package admin

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"strowger/system/internal/introspect"
)

func TestMetrics(t *testing.T) {
	source := &fake{tree: sampleTree(), metrics: introspect.Metrics{
		Connections: 1, Panics: 2, Errors: 20, Authenticated: 3, Refused: 4, OddTokens: 13, Requests: 5, Replies: 6, Broadcasts: 7, SlowConsumers: 8, Waiting: 11, Queued: 30, Kept: 31, Early: 12, Inbound: 32, Handshakes: 21,
		Dead:     map[string]int64{"late_reply": 9, "expired": 10},
		Switch:   &introspect.Switch{Connected: true, Connects: 13, Failures: 14, Events: 15, Lost: 16, Skipped: 17, Replies: 18, Late: 19, Hurried: 27},
		Database: &introspect.Database{Up: true, Connections: 20, Queries: 21, Failed: 22, Unavailable: 23, NameHits: 24, NameMisses: 25, Names: 26},
		Panel:    &introspect.Panel{Refused: 29, Unasked: 28}}}
	got := get(t, listen(t, source, nil), "/metrics")
	got.want(t, http.StatusOK,
		"\nstrowger_transport_open_connections 1\n",
		"\nstrowger_actors_panics_total 2\n",
		"\nstrowger_actors_service_errors_total 20\n",
		"\nstrowger_tokens_accepted_total 3\n",
		"\nstrowger_tokens_refused_total 4\n",
		"\nstrowger_tokens_odd_total 13\n",
		"\nstrowger_routing_requests_total 5\n",
		"\nstrowger_routing_replies_total 6\n",
		"\nstrowger_routing_broadcasts_total 7\n",
		"\nstrowger_transport_slow_consumers_total 8\n",
		"\nstrowger_transport_waiting_bytes 11\n",
		"\nstrowger_transport_queued_bytes 30\n",
		"\nstrowger_routing_kept_bytes 31\n",
		"\nstrowger_transport_unauthenticated_bytes 12\n",
		"\nstrowger_transport_inbound_bytes 32\n",
		"\nstrowger_switch_connected_status 1\n",
		"\nstrowger_switch_connects_total 13\n",
		"\nstrowger_switch_failures_total 14\n",
		"\nstrowger_switch_events_total 15\n",
		"\nstrowger_transport_waiting_handshakes 21\n",
		"\nstrowger_switch_lost_events_total 16\n",
		"\nstrowger_switch_skipped_messages_total 17\n",
		"\nstrowger_switch_replies_total 18\n",
		"\nstrowger_switch_late_replies_total 19\n",
		"\nstrowger_switch_hurried_pushes_total 27\n",
		"\nstrowger_panel_refused_calls_total 29\n",
		"\nstrowger_panel_unasked_recordings_total 28\n",
		"\nstrowger_database_up_status 1\n",
		"\nstrowger_database_open_connections 20\n",
		"\nstrowger_database_queries_total 21\n",
		"\nstrowger_database_failed_total 22\n",
		"\nstrowger_database_unavailable_total 23\n",
		"\nstrowger_database_name_hits_total 24\n",
		"\nstrowger_database_name_misses_total 25\n",
		"\nstrowger_database_kept_names 26\n",
		`strowger_routing_dead_letters_total{reason="late_reply"} 9`,
		`strowger_routing_dead_letters_total{reason="expired"} 10`,
		`strowger_supervisor_running_status{actor="root"} 1`,
		`strowger_supervisor_running_status{actor="root/clock"} 0`,
		`strowger_supervisor_restarts_total{actor="root/clock"} 3`,
		`strowger_supervisor_failures_total{actor="root/clock"} 5`,
		`strowger_supervisor_abandoned_total{actor="root/clock"} 1`,
		`strowger_supervisor_backoff_seconds{actor="root/clock"} 1.5`,
		`strowger_supervisor_breaker_status{actor="root/clock"} 2`,
		`strowger_supervisor_mailbox_messages{actor="root/clock"} 7`,
		"\nstrowger_supervisor_omitted_actors 0\n",
		"\ngo_goroutines ", "\nprocess_open_fds ", "\ngo_build_info{")
	if strings.Contains(got.body, `strowger_supervisor_mailbox_messages{actor="root"}`) {
		t.Error("a mailbox whose depth is not known is shown")
	}
}

// The names have the form that is promised, and Prometheus's own rules find nothing wrong.
func TestMetricNames(t *testing.T) {
	source := &fake{tree: sampleTree(), metrics: introspect.Metrics{Dead: map[string]int64{"x": 1}, Heart: introspect.Heart{Silent: map[string]int64{"x": 1}, Silences: map[string]int64{"x": 1}}, Switch: new(introspect.Switch), Database: new(introspect.Database), Panel: new(introspect.Panel),
		HandshakeTime: new(introspect.Histogram), AdmissionTime: new(introspect.Histogram), RejectionTime: new(introspect.Histogram), DeliveryTime: new(introspect.Histogram),
		Inside:   map[string]introspect.Inside{"s": {Abandoned: 1}},
		Pools:    map[string]introspect.Pool{"s": {Oldest: 1}},
		Services: []introspect.Service{{Name: "s", Outcomes: map[string]*introspect.Histogram{"answered": new(introspect.Histogram)}}},
		Traffic:  introspect.Traffic{Ends: []introspect.Ends{{Code: "1000"}}}}}
	body := get(t, listen(t, source, nil), "/metrics").body
	form := regexp.MustCompile(`^strowger_(build|heart|pool|transport|tokens|http|jwt|apikeys|routing|actors|service|supervisor|switch|database|panel|log|admin|upgrade|traces)(_[a-z]+)*_(total|connections|seconds|messages|bytes|status|actors|tokens|names|handshakes|frames|goroutines|tasks|keys|parts|people|info)$`)
	ours := 0
	for line := range strings.Lines(body) {
		name, isType := strings.CutPrefix(line, "# TYPE ")
		name, _, _ = strings.Cut(name, " ")
		if !isType || !strings.HasPrefix(name, "strowger") {
			continue
		}
		ours++
		if !form.MatchString(name) {
			t.Errorf("the name %s has another form", name)
		}
	}
	if want := len(counters()) + len(switchCounters()) + len(databaseCounters()) + len(panelCounters()) + len(gauges()) + len(families()) + len(timings()) + 4; ours != want {
		t.Errorf("%d names, want %d", ours, want)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, "strowger") {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
}

func TestMetricsAreBounded(t *testing.T) {
	root := introspect.Node{Name: "root"}
	for i := range 20_000 {
		root.Children = append(root.Children, introspect.Node{Name: fmt.Sprintf("n%d", i)})
	}
	dead := map[string]int64{}
	for i := range 1000 {
		dead[fmt.Sprintf("reason%03d", i)] = 1
	}
	tests := map[string]struct{ set, want int }{
		"by default": {0, 1000},
		"as set":     {5, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			source := &fake{tree: root, metrics: introspect.Metrics{Dead: dead}}
			got := get(t, listen(t, source, func(o *Options) { o.Actors = test.set }), "/metrics")
			got.want(t, http.StatusOK, fmt.Sprintf("\nstrowger_supervisor_omitted_actors %d\n", 20_001-test.want),
				`strowger_routing_dead_letters_total{reason="other"} 936`)
			if n := strings.Count(got.body, "strowger_supervisor_running_status{"); n != test.want {
				t.Errorf("%d actors, want %d", n, test.want)
			}
			if n := strings.Count(got.body, "strowger_routing_dead_letters_total{"); n != deadReasons+1 {
				t.Errorf("%d reasons, want %d", n, deadReasons+1)
			}
		})
	}
}

// Names from outside cannot break the page.
func TestMetricsEscapeNames(t *testing.T) {
	root := introspect.Node{Name: "root", Children: []introspect.Node{{Name: "a\"\n\xffb\\"}}}
	source := &fake{tree: root, metrics: introspect.Metrics{Dead: map[string]int64{"\xfe": 1}}}
	get(t, listen(t, source, nil), "/metrics").want(t, http.StatusOK,
		`strowger_supervisor_running_status{actor="root/a\"\n?b\\"} 0`, `{reason="?"} 1`)
}
