package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"strowger/actors"
	"strowger/actors/meter"
)

// The names of the attributes of a span.
const (
	topicKey    = attribute.Key("strowger.topic")
	outcomeKey  = attribute.Key("strowger.outcome")
	domainKey   = attribute.Key("strowger.domain")
	clientKey   = attribute.Key("strowger.subscriber")
	systemKey   = attribute.Key("messaging.system")
	nameKey     = attribute.Key("messaging.destination.name")
	handedOn    = "handed on"
	largestText = 256 // bytes of a text that a client has chosen
)

// Options says where traces go. Endpoint, OneIn and Log are needed.
type Options struct {
	Endpoint string // URL of the collector, with the path
	OneIn    int    // one in so many requests is traced, at random
	Node     string // name of this router in its cluster; empty: none
	Version  string // of the program
	Log      *slog.Logger
}

// Tracer implements actors.Tracer. Its methods may be called from any goroutine.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	exporter *exporter
	begun    atomic.Int64
}

// New returns a Tracer that sends until Stop.
func New(o Options) *Tracer {
	host, _ := os.Hostname() // empty if nobody knows
	about := []attribute.KeyValue{
		attribute.String("service.name", "strowger"), attribute.String("service.version", o.Version), attribute.String("host.name", host),
	}
	if o.Node != "" {
		about = append(about, attribute.String("service.instance.id", o.Node))
	}
	e := &exporter{endpoint: o.Endpoint, log: o.Log, client: &http.Client{
		Timeout: exportTimeout, Transport: &http.Transport{MaxIdleConns: 1, IdleConnTimeout: time.Minute, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	p := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.TraceIDRatioBased(1/float64(o.OneIn))),
		sdk.WithResource(resource.NewSchemaless(about...)),
		sdk.WithBatcher(e, sdk.WithMaxQueueSize(queueLength), sdk.WithBatchTimeout(flushEvery), sdk.WithExportTimeout(exportTimeout)),
	)
	return &Tracer{provider: p, tracer: p.Tracer("strowger", trace.WithInstrumentationVersion(o.Version)), exporter: e}
}

const (
	// queueLength is how many spans wait to be sent. More are dropped.
	queueLength   = 4096
	flushEvery    = 2 * time.Second
	exportTimeout = 10 * time.Second
)

// Trace implements actors.Tracer.
func (t *Tracer) Trace(service, topic string, from *actors.Peer) actors.Trace {
	ctx, span := t.tracer.Start(context.Background(), "request "+service, trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		return nil
	}
	t.begun.Add(1)
	span.SetAttributes(systemKey.String("strowger"), nameKey.String(service), topicKey.String(cut(topic)),
		clientKey.String(from.ID))
	if domain := from.Domain(); domain != "" {
		span.SetAttributes(domainKey.String(domain))
	}
	return &traced{ctx: ctx, span: span}
}

// traced implements actors.Trace.
type traced struct {
	ctx  context.Context //nolint:containedctx // it is what services go on from
	span trace.Span
}

// cut returns the beginning of a text that somebody else has chosen.
func cut(text string) string {
	if len(text) <= largestText {
		return text
	}
	return strings.ToValidUTF8(text[:largestText], "") + "..."
}

// Context implements actors.Trace.
func (t *traced) Context() context.Context { return t.ctx }

// HandedOn implements actors.Trace.
func (t *traced) HandedOn() { t.span.AddEvent(handedOn) }

// End implements actors.Trace.
func (t *traced) End(o meter.Outcome) {
	t.span.SetAttributes(outcomeKey.String(o.String()))
	if failed(o) {
		t.span.SetStatus(codes.Error, o.String())
	}
	t.span.End()
}

// failed reports whether a span with this outcome is marked as an error. What a client did wrong is not one.
func failed(o meter.Outcome) bool {
	switch o {
	case meter.ServerError, meter.Timeout, meter.Busy, meter.Unserved, meter.Lost:
		return true
	}
	return false
}

// Counts is how many spans there were.
type Counts struct {
	Begun  int64 // of requests
	Sent   int64 // taken by the collector, spans of services among them
	Failed int64 // not taken by the collector
}

// Counts returns how many spans there were so far.
func (t *Tracer) Counts() Counts {
	return Counts{Begun: t.begun.Load(), Sent: t.exporter.sent.Load(), Failed: t.exporter.failed.Load()}
}

// Stop sends what waits. It returns when that is done, or ctx ends.
func (t *Tracer) Stop(ctx context.Context) error {
	err := t.provider.Shutdown(ctx)
	t.exporter.client.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	return nil
}
