package js

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// budget is the most that the script may have after gzip, in bytes.
const budget = 6 << 10

func TestSizeBudget(t *testing.T) {
	if n := len(packed()); n == 0 || n > budget {
		t.Errorf("the script has %d bytes after gzip, want at most %d", n, budget)
	}
	t.Logf("the script has %d bytes, %d after gzip", len(Script()), len(packed()))
}

// TestBuilt compares what is committed with what the source builds, where npm has installed what that needs.
func TestBuilt(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	if _, err := os.Stat("node_modules/esbuild"); err != nil {
		t.Skip("npm ci in clients/js installs what builds the script")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), node, "build.mjs")
	build.Env = append(os.Environ(), "CLIENT_DIST="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "diff", "-r", "dist", dir).CombinedOutput(); err != nil {
		t.Errorf("dist is not what the source builds, task client builds it: %v\n%s", err, out)
	}
}

func ask(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	defer r.Body.Close()
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if from, err = gzip.NewReader(from); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAnswer(t *testing.T) {
	tests := map[string]struct {
		method, path string
		header       []string
		status       int
		gzip         bool
	}{
		"plain":                {"GET", "/strowger.js", nil, 200, false},
		"below a path":         {"GET", "/websockets/strowger.js", nil, 200, false},
		"gzip":                 {"GET", "/strowger.js", []string{"Accept-Encoding", "br, gzip"}, 200, true},
		"gzip with a weight":   {"GET", "/strowger.js", []string{"Accept-Encoding", "gzip; q=0.5"}, 200, true},
		"gzip refused":         {"GET", "/strowger.js", []string{"Accept-Encoding", "gzip;q=0.0, br"}, 200, false},
		"head":                 {"HEAD", "/strowger.js", nil, 200, false},
		"another name":         {"GET", "/strowger.jsx", nil, 404, false},
		"the directory":        {"GET", "/strowger.js/other", nil, 404, false},
		"known already":        {"GET", "/strowger.js", []string{"If-None-Match", tag()}, 304, false},
		"known as strong":      {"GET", "/strowger.js", []string{"If-None-Match", `"x", ` + strings.TrimPrefix(tag(), "W/")}, 304, false},
		"any is known":         {"GET", "/strowger.js", []string{"If-None-Match", "*"}, 304, false},
		"another one is known": {"GET", "/strowger.js", []string{"If-None-Match", `W/"0"`}, 200, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(t, test.method, test.path, test.header...)
			data := body(t, got)
			if got.StatusCode != test.status || (got.Header.Get("Content-Encoding") == "gzip") != test.gzip {
				t.Errorf("status %d, header %v", got.StatusCode, got.Header)
			}
			if whole := test.status == 200 && test.method == "GET"; bytes.Equal(data, Script()) != whole {
				t.Errorf("body of %d bytes", len(data))
			}
			if test.status != 404 && got.Header.Get("Etag") != tag() {
				t.Errorf("ETag is %q, want %q", got.Header.Get("Etag"), tag())
			}
		})
	}
}
