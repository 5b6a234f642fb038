package transport

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// serveFile answers requests for /a/file with a text.
func serveFile(r *http.Request) *http.Response {
	if r.URL.Path != "/a/file" {
		return nil
	}
	const text = "the file"
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(text)),
		Header: http.Header{"Etag": {`"1"`}}, Body: io.NopCloser(strings.NewReader(text))}
}

func TestDownload(t *testing.T) {
	socket := strings.Replace(fmt.Sprintf(upgrade, "pbx.example"), "GET /", "GET /a/file", 1)
	if !strings.HasPrefix(socket, "GET /a/file") {
		t.Fatalf("request is %q", socket)
	}
	tests := map[string]struct {
		request string
		off     bool
		status  int
	}{
		"a file":                  {"GET /a/file HTTP/1.1\r\nHost: pbx.example\r\n\r\n", false, 200},
		"a page of another host":  {"GET /a/file HTTP/1.1\r\nHost: pbx.example\r\nOrigin: https://evil.example\r\n\r\n", false, 200},
		"a socket":                {socket, false, 101},
		"a socket without a key":  {"GET /a/file HTTP/1.1\r\nHost: pbx.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false, 400},
		"another path":            {"GET /a/other HTTP/1.1\r\nHost: pbx.example\r\n\r\n", false, 400},
		"a path that is no other": {"GET /a/../a/file HTTP/1.1\r\nHost: pbx.example\r\n\r\n", false, 400},
		"another method":          {"POST /a/file HTTP/1.1\r\nHost: pbx.example\r\nContent-Length: 0\r\n\r\n", false, 405},
		"no host":                 {"GET /a/file HTTP/1.1\r\n\r\n", false, 400},
		"a body":                  {"GET /a/file HTTP/1.1\r\nHost: pbx.example\r\nContent-Length: 1\r\n\r\nx", false, 400},
		"no files":                {"GET /a/file HTTP/1.1\r\nHost: pbx.example\r\n\r\n", true, 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) {
				if !test.off {
					l.File = serveFile
				}
			})
			p := s.connect()
			p.write([]byte(test.request))
			r, err := http.ReadResponse(p.br, nil)
			if err != nil || r.StatusCode != test.status {
				t.Fatalf("response %v, err %v; want %d", r, err, test.status)
			}
			if test.status == http.StatusSwitchingProtocols {
				return
			}
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			if err != nil || (string(body) == "the file") != (test.status == 200) {
				t.Errorf("body %q, err %v", body, err)
			}
			if !r.Close {
				t.Error("the answer does not say that the connection ends")
			}
			if rest, err := io.ReadAll(p.br); len(rest) > 0 || err != nil {
				t.Errorf("after the answer came %q, %v; want the end", rest, err)
			}
		})
	}
}

// TestDownloadIsNoRefusal: a file that was asked for is neither logged nor counted as a handshake that failed.
func TestDownloadIsNoRefusal(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.File = serveFile })
	p := s.connect()
	p.write([]byte("GET /a/file HTTP/1.1\r\nHost: pbx.example\r\n\r\n"))
	if all, err := io.ReadAll(p.br); err != nil || !strings.HasSuffix(string(all), "\r\n\r\nthe file") {
		t.Fatalf("response %q, err %v", all, err)
	}
	for cause, n := range s.deps.Refusals().Counts() {
		if n > 0 {
			t.Errorf("%d refused for %v", n, cause)
		}
	}
}
