package client

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/client/clienttest"
)

// The log tells the life cycle and the router's faults, never a token or a payload.
func TestLog(t *testing.T) {
	r := newFakeRouter(t)
	var buf bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c, p := r.online(Options{Logger: logger, Reconnect: Reconnect{Max: time.Millisecond}})
	p.Send(clienttest.Object{"service_name": "s", "request_id": "99", "payload": "secret"})
	p.Frame(1, []byte("secret"))
	lost := asking(t.Context(), c, "secret")
	p.Next()
	p.Raw(append([]byte{0x82, 0x7F}, bytes.Repeat([]byte{0xFF}, 8)...))
	<-lost
	r.Accept().Conn.Close()
	p = r.Accept()
	p.Login()
	barrier(t, c, p)
	r.shut(c)
	log := buf.String()
	for _, want := range []string{
		"level=INFO msg=online", "level=DEBUG msg=\"nobody waits for this reply\"", "level=DEBUG msg=\"message ignored\"",
		"level=WARN msg=\"read loop panicked\"", "level=WARN msg=\"connection lost\"", "level=WARN msg=\"attempt failed\"",
		"level=INFO msg=closed",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	for _, secret := range []string{"secret", "name1", "hash1", "name2", "hash2"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}
