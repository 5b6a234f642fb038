package console

import (
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var built embed.FS

// page serves the files that the build of the page has made.
type page struct{ files fs.FS }

func newPage() (*page, error) {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, err //nolint:wrapcheck // cannot happen, the directory is embedded
	}
	return &page{files}, nil
}

// contentPolicy lets the page load what the daemon serves, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Path)
	if name == "" {
		name = "index.html"
	}
	data, err := fs.ReadFile(p.files, name)
	if err != nil {
		refuse(w, http.StatusNotFound, "there is no such file")
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", contentPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Content-Type", typeOf(name))
	header.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable") // their names have a hash of what they hold
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(data) // who does not want to read it need not
}

// typeOf does not depend on what the machine thinks of a name.
func typeOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".webmanifest":
		return "application/json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}
