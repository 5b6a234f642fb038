package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter implements sdk.SpanExporter. The SDK calls it from one goroutine at a time.
type exporter struct {
	endpoint string
	log      *slog.Logger
	client   *http.Client

	sent, failed atomic.Int64

	silent int       // failures since the last line about them
	spoken time.Time // when that was logged
}

// largestAnswer is how much of a collector's answer is read, in bytes.
const largestAnswer = 4 << 10

// ExportSpans implements sdk.SpanExporter. It sends spans once: those that the collector does not take are counted and lost.
// It returns no error, because the SDK would write it to standard error.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	err := e.send(ctx, spans)
	if err == nil {
		e.sent.Add(int64(len(spans)))
		return nil
	}
	e.failed.Add(int64(len(spans)))
	e.report(err)
	return nil
}

func (e *exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body, err := encode(spans)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := e.client.Do(r)
	if err != nil {
		return err //nolint:wrapcheck // names the URL
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, largestAnswer)) // it only explains a refusal
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %s: %s", answer.Status, cut(string(text)))
	}
	return nil
}

// report logs a failure: one line a minute.
func (e *exporter) report(err error) {
	now := time.Now()
	if now.Sub(e.spoken) < time.Minute {
		e.silent++
		return
	}
	e.log.Warn("traces cannot be sent", "setting", "traces.endpoint", "endpoint", e.endpoint, "err", err, "suppressed", e.silent)
	e.silent, e.spoken = 0, now
}

// Shutdown implements sdk.SpanExporter.
func (e *exporter) Shutdown(context.Context) error { return nil }
