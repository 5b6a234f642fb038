package admin

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"strowger/system/internal/introspect"
)

// histogram is a reading with the classic buckets, which every reader knows, and the native ones. The library's
// constant histograms have either.
type histogram struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	h      *introspect.Histogram
}

// Desc implements prometheus.Metric.
func (m *histogram) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric.
func (m *histogram) Write(to *dto.Metric) error {
	to.Label = m.labels
	h := &dto.Histogram{SampleCount: &m.h.Count, SampleSum: &m.h.Sum, Schema: &m.h.Schema, ZeroThreshold: &m.h.ZeroEnd, ZeroCount: &m.h.Zero}
	for _, bound := range slices.Sorted(maps.Keys(m.h.Within)) {
		n := m.h.Within[bound]
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: &bound, CumulativeCount: &n})
	}
	h.PositiveSpan, h.PositiveDelta = native(m.h.Buckets)
	if len(h.GetPositiveSpan()) == 0 && m.h.Zero == 0 {
		// A span without a bucket tells an empty native histogram from a classic one.
		h.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
	to.Histogram = h
	return nil
}

// native returns buckets as Prometheus writes them: spans of neighbours, and what each bucket has more than the one
// before.
func native(buckets map[int]uint64) (spans []*dto.BucketSpan, deltas []int64) {
	next, last := 0, int64(0)
	for _, k := range slices.Sorted(maps.Keys(buckets)) {
		if len(spans) == 0 || k != next {
			offset := int32(k - next)
			spans = append(spans, &dto.BucketSpan{Offset: &offset, Length: new(uint32)})
		}
		*spans[len(spans)-1].Length++
		deltas = append(deltas, int64(buckets[k])-last)
		next, last = k+1, int64(buckets[k])
	}
	return spans, deltas
}
