package forwarded

import (
	"net/http"
	"testing"
)

func TestBy(t *testing.T) {
	for name, want := range map[string]bool{
		"forwarded": true, "via": true, "x-real-ip": true, "X-Forwarded-For": true, "x-forwarded-proto": true, "X-Forwarded-Server": true,
		"Host": false, "X-Forwarded": false, "Origin": false,
	} {
		h := http.Header{"Accept": {"*/*"}}
		h.Set(name, "")
		if got := By(h); got != want {
			t.Errorf("with %s: %t, want %t", name, got, want)
		}
	}
	if By(nil) {
		t.Error("without headers")
	}
}
