package transport

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"strowger/actors/refusals"
)

// checkRequest returns a refusal unless r asks for a WebSocket as RFC 6455, section 4.2.1, has it
// (protocol 2.3), or a download if it asks for a file. The version is not looked at.
func checkRequest(r *http.Request, head *rawHead, l *Limits) error {
	switch {
	case head.wrong != "":
		return malformed(head.wrong)
	case asksWeb(r, l) && head.host && validHost(r.Host):
		return errNoHandshake
	case r.Method != http.MethodGet:
		return &refusal{status: http.StatusMethodNotAllowed, reason: "only GET upgrades", header: "Allow: GET"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return &refusal{status: http.StatusHTTPVersionNotSupported, reason: "only HTTP/1.1 upgrades"}
	case r.URL.Host == "" && !strings.HasPrefix(r.RequestURI, "/"):
		return malformed("the target is neither a path nor a whole URL")
	case !head.host, !validHost(r.Host):
		return malformed("no valid Host")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		// What follows the head of an upgrade is frames. A proxy would read it as a body.
		return malformed("an upgrade request has no body")
	}
	if file := asksForFile(r, l); file != nil { //nolint:bodyclose // it is written, not received
		return &download{file}
	}
	return checkUpgrade(r, l)
}

// checkUpgrade returns a refusal unless a request that is well formed asks for a WebSocket.
func checkUpgrade(r *http.Request, l *Limits) error {
	key := r.Header.Values("Sec-WebSocket-Key")
	switch {
	case len(key) == 0:
		return malformed("this is a WebSocket server: no Sec-WebSocket-Key")
	case len(key) > 1:
		return malformed("more than one Sec-WebSocket-Key")
	case !validKey(key[0]):
		return malformed("Sec-WebSocket-Key is not 16 bytes in base64")
	case len(r.Header.Values("Origin")) > 1:
		return malformed("more than one Origin")
	case !lists(r.Header, "Upgrade", "websocket"):
		return &refusal{status: http.StatusUpgradeRequired, reason: "this is a WebSocket server: no Upgrade to websocket",
			header: "Upgrade: websocket\r\nConnection: Upgrade"}
	case !lists(r.Header, "Connection", "Upgrade"):
		return malformed("Connection does not list Upgrade")
	case !OriginAllowed(r.Header.Get("Origin"), r.Host, l.Origins):
		return &refusal{status: http.StatusForbidden, cause: refusals.Origin, reason: "origin not allowed, see listen.origins"}
	}
	return nil
}

func malformed(reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, reason: reason}
}

// validKey reports whether key stands for 16 bytes.
func validKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 16
}

// lists reports whether one of the comma-separated items of the header is token, in any case.
func lists(h http.Header, name, token string) bool {
	return slices.ContainsFunc(h.Values(name), func(line string) bool {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
		return false
	})
}

// validHost reports whether text is a host with an optional port, as RFC 9110, section 7.2, has it.
// A user's name, a path or a list of hosts is none.
func validHost(text string) bool {
	name, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		name, port = text[:i], text[i+1:]
	}
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	inner, opened := strings.CutPrefix(name, "[")
	inner, ended := strings.CutSuffix(inner, "]")
	allowed := "-._~"
	if opened {
		allowed = "-._~:%"
	}
	return inner != "" && opened == ended && !strings.ContainsFunc(inner, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune(allowed, c)
	})
}
