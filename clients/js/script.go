// Package js has the TypeScript client as one script for browsers, and answers requests for it. The source is beside it;
// task client builds it.
package js

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Name is the last part of the script's path.
const Name = "strowger.js"

//go:embed dist/strowger.js
var script []byte

// Script returns the script. It defines the global Strowger. The caller must not change it.
func Script() []byte { return script }

// packed returns the script as gzip.
var packed = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level exists
	}
	// A buffer takes everything.
	_, _ = w.Write(script)
	_ = w.Close()
	return b.Bytes()
})

// tag returns the script's ETag. It is weak, because it stands for the script with and without gzip.
var tag = sync.OnceValue(func() string {
	sum := sha256.Sum256(script)
	return `W/"` + hex.EncodeToString(sum[:16]) + `"`
})

// Answer returns the answer to a GET or HEAD of the script, with a body that need not be closed. It returns nil if the last
// part of the path is not Name. Everybody may have the script, also pages of other hosts.
func Answer(r *http.Request) *http.Response {
	if path.Base(r.URL.Path) != Name {
		return nil
	}
	answer := &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type":                 {"text/javascript; charset=utf-8"},
			"Cache-Control":                {"no-cache"}, // the path stays, and the script may be another tomorrow
			"Etag":                         {tag()},
			"Vary":                         {"Accept-Encoding"},
			"X-Content-Type-Options":       {"nosniff"},
			"Cross-Origin-Resource-Policy": {"cross-origin"},
			"Access-Control-Allow-Origin":  {"*"},
		},
	}
	if matches(r.Header.Get("If-None-Match")) {
		answer.StatusCode = http.StatusNotModified
		answer.Body = http.NoBody
		return answer
	}
	body := script
	if takesGzip(r.Header) {
		body = packed()
		answer.Header.Set("Content-Encoding", "gzip")
	}
	answer.ContentLength = int64(len(body))
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer
}

// matches reports whether an If-None-Match lists the script's ETag.
func matches(field string) bool {
	for one := range strings.SplitSeq(field, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag(), "W/") {
			return true
		}
	}
	return false
}

// takesGzip reports whether the peer lists gzip, and not with a weight of 0.
func takesGzip(header http.Header) bool {
	for one := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(one, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// Handler answers requests for the script, and 404 to others. It keeps the headers that the caller has set, but for those
// of the script.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := Answer(r) //nolint:bodyclose // it is written, not received
		if answer == nil {
			http.NotFound(w, r)
			return
		}
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		if r.Method != http.MethodHead {
			_, _ = io.Copy(w, answer.Body) // a peer that does not want to read it need not
		}
	})
}
