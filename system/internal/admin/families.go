package admin

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"strowger/system/internal/introspect"
)

// family is one metric with labels, or a few, as Prometheus sees it.
type family struct {
	name   string // strowger_<subsystem>_<name>_<unit>
	help   string
	kind   prometheus.ValueType
	labels []string
	// each calls send for each series.
	each func(m *introspect.Metrics, send func(value float64, labels ...string))
}

func families() []family {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	one := func(value func(m *introspect.Metrics) int64) func(*introspect.Metrics, func(float64, ...string)) {
		return func(m *introspect.Metrics, send func(float64, ...string)) { send(float64(value(m))) }
	}
	return []family{
		{"strowger_build_info", "1, with what the program was made from.", now, []string{"version", "commit", "go"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(1, m.Build.Version, m.Build.Commit, m.Build.Go)
			}},
		{"strowger_heart_silent_parts", "Parts of the core that do not answer the heartbeat, by kind.", now, []string{"part"},
			byName(func(m *introspect.Metrics) map[string]int64 { return m.Heart.Silent })},
		{"strowger_heart_silences_total", "How often a part of the core has not answered for heartbeat.limit, by kind.", total, []string{"part"},
			byName(func(m *introspect.Metrics) map[string]int64 { return m.Heart.Silences })},
		{"strowger_transport_received_bytes_total", "Bytes received from peers after their handshake.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.BytesIn })},
		{"strowger_transport_received_frames_total", "Frames received from peers.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.FramesIn })},
		{"strowger_transport_sent_bytes_total", "Bytes given to the kernel for peers.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.BytesOut })},
		{"strowger_transport_sent_frames_total", "Frames for peers, those included that a connection's end discarded.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.FramesOut })},
		{"strowger_transport_waiting_frames", "Frames that wait for peers that read slowly.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.WaitingFrames })},
		{"strowger_transport_paused_connections", "Connections that are not read from because their window is full.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.Paused })},
		{"strowger_transport_pauses_total", "How often the router stopped reading from a connection because its window was full.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Traffic.Pauses })},
		{"strowger_transport_closed_connections_total", "Connections that ended, by the code of the first close frame and who sent it; 1006 is an end without a close frame.", total,
			[]string{"code", "by"}, closed},
		{"strowger_transport_compressed_messages_total", "Messages that were compressed, each once for all who got it.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Compressed.Messages })},
		{"strowger_transport_compressed_bytes_total", "Bytes of the messages that were compressed, by when: before or after.", total, []string{"when"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(float64(m.Compressed.Before), "before")
				send(float64(m.Compressed.After), "after")
			}},
		{"strowger_http_messages_total", "Messages that came by HTTP and were taken, by what they were: published or requested.", total, []string{"kind"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(float64(m.HTTP.Published), "published")
				send(float64(m.HTTP.Requested), "requested")
			}},
		{"strowger_http_repeated_total", "Answers to HTTP requests that were given again for their idempotency key.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.HTTP.Repeated })},
		{"strowger_http_event_connections", "Streams of server-sent events open now.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.HTTP.Streams })},
		{"strowger_http_kept_keys", "Answers that are kept for their idempotency key.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.HTTP.Keys })},
		{"strowger_http_kept_bytes", "Bytes of the answers that are kept for their idempotency key.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.HTTP.Bytes })},
		{"strowger_routing_service_broadcasts_total", "Broadcasts by service.", total, []string{"service"},
			perService(func(s *introspect.Service) int64 { return s.Broadcasts })},
		{"strowger_routing_topic_messages", "Broadcasts and replies that wait in the topic of a service.", now, []string{"service"},
			perService(func(s *introspect.Service) int64 { return s.Waiting })},
		{"strowger_jwt_checked_total", "JWTs, renewals among them, by result: accepted or refused.", total, []string{"result"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(float64(m.Bearers.JWTs), "accepted")
				send(float64(m.Bearers.NoJWTs), "refused")
			}},
		{"strowger_jwt_fetches_total", "Fetches of JWK Sets, by result: good or failed.", total, []string{"result"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(float64(m.Bearers.Fetches), "good")
				send(float64(m.Bearers.FailedFetches), "failed")
			}},
		{"strowger_jwt_waits_total", "JWTs that waited for a JWK Set.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.Waits })},
		{"strowger_jwt_unchecked_total", "JWTs turned away because the JWK Set that may have their key was not there.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.Away })},
		{"strowger_jwt_set_keys", "Keys of all JWK Sets.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.SetKeys })},
		{"strowger_jwt_set_age_seconds", "Time since the JWK Set was fetched whose last good fetch is longest ago.", now, nil,
			func(m *introspect.Metrics, send func(float64, ...string)) { send(m.Bearers.OldestSet) }},
		{"strowger_apikeys_checked_total", "API keys, by result: accepted or refused.", total, []string{"result"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				send(float64(m.Bearers.Keys), "accepted")
				send(float64(m.Bearers.NoKeys), "refused")
			}},
		{"strowger_apikeys_hashes_total", "API keys whose hash was computed. The others were remembered, or refused before.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.KeyChecks })},
		{"strowger_apikeys_unchecked_total", "API keys turned away because as many were being checked as apikeys.checks says.", total, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.KeysBusy })},
		{"strowger_apikeys_known_keys", "API keys in the file.", now, nil,
			one(func(m *introspect.Metrics) int64 { return m.Bearers.APIKeys })},
		{"strowger_pool_size_goroutines", "Goroutines that a pool may have.", now, []string{"pool"},
			perPool(func(p introspect.Pool) int64 { return p.Size })},
		{"strowger_pool_busy_goroutines", "Goroutines of a pool that work.", now, []string{"pool"},
			perPool(func(p introspect.Pool) int64 { return p.Running })},
		{"strowger_pool_waiting_tasks", "Work that waits for a goroutine of a pool.", now, []string{"pool"},
			perPool(func(p introspect.Pool) int64 { return p.Waiting })},
		{"strowger_pool_refused_tasks_total", "Work for which a pool had no room.", total, []string{"pool"},
			perPool(func(p introspect.Pool) int64 { return p.Refused })},
		{"strowger_pool_oldest_seconds", "Time for which the function runs that has run for longest of those that a service has given to Go.", now, []string{"pool"},
			func(m *introspect.Metrics, send func(float64, ...string)) {
				for _, name := range slices.Sorted(maps.Keys(m.Pools)) {
					send(m.Pools[name].Oldest, "service:"+name)
				}
			}},
		{"strowger_service_abandoned_goroutines", "Goroutines of earlier lives of a service in the router that still run although they were given up.", now, []string{"service"},
			inside(func(s introspect.Inside) int64 { return s.Abandoned })},
		{"strowger_service_said_bytes", "Bytes of what a service in the router has said that are under way in the router.", now, []string{"service"},
			inside(func(s introspect.Inside) int64 { return s.Said })},
		{"strowger_service_dropped_total", "Broadcasts and parts of answers of a service in the router that were dropped because too much of what it had said was under way.", total, []string{"service"},
			inside(func(s introspect.Inside) int64 { return s.Dropped })},
	}
}

func closed(m *introspect.Metrics, send func(float64, ...string)) {
	for _, e := range m.Traffic.Ends {
		by := "router"
		if e.ByPeer {
			by = "peer"
		}
		send(float64(e.Count), e.Code, by)
	}
}

func perService(value func(*introspect.Service) int64) func(*introspect.Metrics, func(float64, ...string)) {
	return func(m *introspect.Metrics, send func(float64, ...string)) {
		for i := range m.Services {
			send(float64(value(&m.Services[i])), m.Services[i].Name)
		}
	}
}

func inside(value func(introspect.Inside) int64) func(*introspect.Metrics, func(float64, ...string)) {
	return func(m *introspect.Metrics, send func(float64, ...string)) {
		for _, name := range slices.Sorted(maps.Keys(m.Inside)) {
			send(float64(value(m.Inside[name])), name)
		}
	}
}

func byName(value func(*introspect.Metrics) map[string]int64) func(*introspect.Metrics, func(float64, ...string)) {
	return func(m *introspect.Metrics, send func(float64, ...string)) {
		counts := value(m)
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			send(float64(counts[name]), name)
		}
	}
}

// claimPool is the pool that reads token files, and checkPool the one that checks other tokens. A service's pool has the label service: and its name.
const (
	claimPool = "tokens"
	checkPool = "bearers"
)

func perPool(value func(introspect.Pool) int64) func(*introspect.Metrics, func(float64, ...string)) {
	return func(m *introspect.Metrics, send func(float64, ...string)) {
		send(float64(value(m.Claims)), claimPool)
		send(float64(value(m.Checks)), checkPool)
		for _, name := range slices.Sorted(maps.Keys(m.Pools)) {
			send(float64(value(m.Pools[name])), "service:"+name)
		}
	}
}

// timing is one histogram, or a few, as Prometheus sees it.
type timing struct {
	name   string
	help   string
	labels []string
	each   func(m *introspect.Metrics, send func(h *introspect.Histogram, labels ...string))
}

func timings() []timing {
	type send = func(*introspect.Histogram, ...string)
	return []timing{
		{"strowger_routing_request_seconds", "Time from the moment at which a service's actor takes a request until what becomes of it is known, by outcome.",
			[]string{"service", "outcome"}, requestTimes},
		{"strowger_routing_delivery_seconds", "Time from the moment at which a service's actor takes a broadcast until it is written, or queued for a slow reader, for all members; one broadcast at a time is measured.", nil,
			func(m *introspect.Metrics, send send) { send(m.DeliveryTime) }},
		{"strowger_transport_handshake_seconds", "Time from accept until the handshake is done, of those that went well.", nil,
			func(m *introspect.Metrics, send send) { send(m.HandshakeTime) }},
		{"strowger_tokens_authentication_seconds", "Time from a token until its answer, by result: accepted or refused.", []string{"result"},
			func(m *introspect.Metrics, send send) {
				send(m.AdmissionTime, "accepted")
				send(m.RejectionTime, "refused")
			}},
	}
}

func requestTimes(m *introspect.Metrics, send func(*introspect.Histogram, ...string)) {
	for _, s := range m.Services {
		for _, outcome := range slices.Sorted(maps.Keys(s.Outcomes)) {
			send(s.Outcomes[outcome], s.Name, outcome)
		}
	}
}
