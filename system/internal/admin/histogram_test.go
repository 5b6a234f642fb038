package admin

import (
	"io"
	"net/http"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"strowger/system/internal/introspect"
)

func TestLabelledMetrics(t *testing.T) {
	h := &introspect.Histogram{Sum: 1.5, Count: 3, Schema: 2, Zero: 1, ZeroEnd: 1e-6, Buckets: map[int]uint64{-3: 1, 0: 1}, Within: map[float64]uint64{0.5: 1, 1: 3}}
	source := &fake{tree: sampleTree(), metrics: introspect.Metrics{
		Build: introspect.Build{Version: "1.2.3", Commit: "abc", Go: "go9"},
		Traffic: introspect.Traffic{BytesIn: 1, FramesIn: 2, BytesOut: 3, FramesOut: 4, WaitingFrames: 5, Paused: 6, Pauses: 7,
			Ends: []introspect.Ends{{Code: "1001", Count: 8}, {Code: "1006", ByPeer: true, Count: 9}}},
		Claims: introspect.Pool{Size: 10, Running: 11, Waiting: 12}, Pools: map[string]introspect.Pool{"clock": {Size: 13, Running: 14, Waiting: 15, Refused: 16}},
		Services:      []introspect.Service{{Name: "clock", Broadcasts: 17, Waiting: 18, Outcomes: map[string]*introspect.Histogram{"answered": h}}, {Name: "a\xff", Broadcasts: 19}},
		HandshakeTime: h, AdmissionTime: h, RejectionTime: h, DeliveryTime: h,
		Switch: &introspect.Switch{LastEvent: 20.5}}}
	get(t, listen(t, source, nil), "/metrics").want(t, http.StatusOK,
		`strowger_build_info{commit="abc",go="go9",version="1.2.3"} 1`,
		"\nstrowger_transport_received_bytes_total 1\n", "\nstrowger_transport_received_frames_total 2\n",
		"\nstrowger_transport_sent_bytes_total 3\n", "\nstrowger_transport_sent_frames_total 4\n", "\nstrowger_transport_waiting_frames 5\n",
		"\nstrowger_transport_paused_connections 6\n", "\nstrowger_transport_pauses_total 7\n",
		`strowger_transport_closed_connections_total{by="router",code="1001"} 8`, `strowger_transport_closed_connections_total{by="peer",code="1006"} 9`,
		`strowger_pool_size_goroutines{pool="tokens"} 10`, `strowger_pool_busy_goroutines{pool="tokens"} 11`, `strowger_pool_waiting_tasks{pool="tokens"} 12`,
		`strowger_pool_size_goroutines{pool="service:clock"} 13`, `strowger_pool_busy_goroutines{pool="service:clock"} 14`,
		`strowger_pool_waiting_tasks{pool="service:clock"} 15`, `strowger_pool_refused_tasks_total{pool="service:clock"} 16`,
		`strowger_routing_service_broadcasts_total{service="clock"} 17`, `strowger_routing_topic_messages{service="clock"} 18`,
		`strowger_routing_service_broadcasts_total{service="a?"} 19`,
		"\nstrowger_switch_last_event_timestamp_seconds 20.5\n",
		`strowger_routing_request_seconds_bucket{outcome="answered",service="clock",le="0.5"} 1`,
		`strowger_routing_request_seconds_bucket{outcome="answered",service="clock",le="+Inf"} 3`,
		`strowger_routing_request_seconds_sum{outcome="answered",service="clock"} 1.5`,
		`strowger_tokens_authentication_seconds_count{result="refused"} 3`)
}

// A Prometheus that asks for protocol buffers gets native histograms as well.
func TestNativeHistograms(t *testing.T) {
	h := &introspect.Histogram{Sum: 1.5, Count: 6, Schema: 2, ZeroEnd: 1e-6, Buckets: map[int]uint64{-3: 2, -2: 1, 4: 3}, Within: map[float64]uint64{1: 3}}
	s := listen(t, &fake{tree: sampleTree(), metrics: introspect.Metrics{HandshakeTime: h, DeliveryTime: new(introspect.Histogram)}}, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	request.Close = true
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	decoder := expfmt.NewDecoder(response.Body, expfmt.ResponseFormat(response.Header))
	found := map[string]*dto.Histogram{}
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if family.GetType() == dto.MetricType_HISTOGRAM {
			found[family.GetName()] = family.Metric[0].Histogram
		}
	}
	got := found["strowger_transport_handshake_seconds"]
	if got == nil {
		t.Fatalf("there are %v", found)
	}
	spans := got.GetPositiveSpan()
	if len(spans) != 2 || spans[0].GetOffset() != -3 || spans[0].GetLength() != 2 || spans[1].GetOffset() != 5 || spans[1].GetLength() != 1 ||
		!slices.Equal(got.PositiveDelta, []int64{2, -1, 2}) || got.GetSchema() != 2 || len(got.Bucket) != 1 {
		t.Errorf("got %v", got)
	}
	if empty := found["strowger_routing_delivery_seconds"]; empty == nil || len(empty.PositiveSpan) != 1 {
		t.Errorf("got %v, want a native histogram without a bucket", empty)
	}
}
