//go:build unix

package nginx

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNoFiles wants what is no file, or far too long for one of nginx, to be named and everything else to be read.
func TestNoFiles(t *testing.T) {
	root := files(t, map[string]string{
		"etc/nginx/nginx.conf": "http { include conf.d/*; }",
		"etc/nginx/conf.d/a":   "gzip on;",
		"etc/nginx/conf.d/b":   strings.Repeat("#", mostBytes+1),
	})
	if err := syscall.Mkfifo(filepath.Join(root, "etc/nginx/conf.d/c"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(config.Problems)
	for _, want := range []string{"conf.d/b is larger than 4194304 bytes", "conf.d/c is a pipe, not a regular file"} {
		if !strings.Contains(got, want) || len(config.Problems) != 2 {
			t.Errorf("problems %s, want %q among two", got, want)
		}
	}
}
