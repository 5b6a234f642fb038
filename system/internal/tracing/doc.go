// Package tracing sends traces of requests to a collector of OpenTelemetry, as OTLP with JSON over HTTP. The format is
// that of OTLP 1.x: https://opentelemetry.io/docs/specs/otlp/.
//
// The SDK of OpenTelemetry samples and gathers the spans. Its own exporter for HTTP is not used, because it makes gRPC a
// part of the program.
package tracing
