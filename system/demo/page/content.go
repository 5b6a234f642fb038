package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed index.html
var index string

// contentPolicy allows the page its own scripts and style, its own server and the router, and
// nothing else at all.
func contentPolicy(router string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' " + digest("script"),
		"style-src " + digest("style"),
		"img-src data:",
		"connect-src 'self' ws://" + router,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// digest returns the source expression for what is inside the page's only element of that name without attributes.
func digest(element string) string {
	_, rest, _ := strings.Cut(index, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
}
