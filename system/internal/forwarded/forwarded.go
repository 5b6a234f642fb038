// Package forwarded tells whether a request has come through a proxy.
package forwarded

import (
	"net/http"
	"strings"
)

// By reports whether a request has a header that a proxy adds. Such a request does not come from who connects.
// A proxy that adds none cannot be told from a client.
func By(h http.Header) bool {
	for name := range h {
		switch {
		case name == "Forwarded", name == "Via", name == "X-Real-Ip", strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}
