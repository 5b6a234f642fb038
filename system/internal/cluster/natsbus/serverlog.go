package natsbus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// serverLog is where the server inside logs. What operators should know is said in our words, and names the setting.
type serverLog struct {
	quiet *quiet
	fatal chan error // gets the first error with which the server gives up
}

// said are the server's lines that get other words. The first whose text is in the line counts.
var said = []struct {
	text    string
	level   slog.Level
	message string
	setting string
}{
	{"Authorization Violation", slog.LevelWarn, "another node refuses the secret of this one", "cluster.secret_file"},
	{"authentication error", slog.LevelDebug, "a node was refused", ""}, // doorman has said more
	{"does not match", slog.LevelWarn, "a node of another cluster cannot be linked", "cluster.name"},
	{"TLS route handshake error", slog.LevelWarn, "TLS with another node fails", "cluster.tls_certificate"},
	{"TLS handshake error", slog.LevelWarn, "TLS with another node fails", "cluster.tls_certificate"},
	{"Error trying to connect to route", slog.LevelWarn, "another node cannot be reached; it is tried again and again", "cluster.routes"},
	{"Slow Consumer", slog.LevelWarn, "another node is slow, and misses messages", "cluster.pending_bytes"},
	// Links tell of nodes that left. Of two connections between a pair of nodes one is closed.
	{"closed: Client Closed", slog.LevelDebug, "the connection to another node ended", ""},
	{"closed: Duplicate", slog.LevelDebug, "a second connection to another node ended", ""},
	{"closed: Server Shutdown", slog.LevelDebug, "the connection to another node ended", ""},
	{"closed: Cluster Name", slog.LevelDebug, "the connection to a node of another cluster ended", ""},
	{"closed: Authentication", slog.LevelDebug, "the connection to a node that was refused ended", ""},
	{"Router connection closed", slog.LevelWarn, "the connection to another node ended; if the nodes never link, the log of the other one says why", ""},
	{"Stale", slog.LevelWarn, "another node does not answer", ""},
}

func (l *serverLog) line(level slog.Level, format string, args []any) {
	text := fmt.Sprintf(format, args...)
	for _, known := range said {
		if strings.Contains(text, known.text) {
			attrs := []any{"nats", text}
			if known.setting != "" {
				attrs = append(attrs, "setting", known.setting)
			}
			l.quiet.log(known.level, known.message, attrs...)
			return
		}
	}
	l.quiet.log(level, "NATS inside", "nats", text)
}

// Noticef implements natsserver.Logger. How the server starts and who comes is no news: links tell of nodes.
func (l *serverLog) Noticef(format string, args ...any) { l.line(slog.LevelDebug, format, args) }

// Warnf implements natsserver.Logger.
func (l *serverLog) Warnf(format string, args ...any) { l.line(slog.LevelWarn, format, args) }

// Errorf implements natsserver.Logger.
func (l *serverLog) Errorf(format string, args ...any) { l.line(slog.LevelWarn, format, args) }

// Debugf implements natsserver.Logger.
func (l *serverLog) Debugf(format string, args ...any) {
	if l.quiet.to.Enabled(context.Background(), slog.LevelDebug) {
		l.line(slog.LevelDebug, format, args)
	}
}

// Tracef implements natsserver.Logger.
func (*serverLog) Tracef(string, ...any) {}

// Fatalf implements natsserver.Logger. The process goes on. That there is no port for clients is as it should be.
func (l *serverLog) Fatalf(format string, args ...any) {
	if strings.HasPrefix(format, "Error listening on port:") {
		return
	}
	select {
	case l.fatal <- fmt.Errorf(format, args...): // the server's text
	default:
	}
}
