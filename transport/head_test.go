package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A head may have limits.header_bytes and not one more, whoever reads it and in however many pieces it comes.
func TestLongestHead(t *testing.T) {
	const most = 2 << 10
	s := newServer(t, nil, func(l *Limits) { l.HeaderBytes = most })
	for name, path := range map[string]string{"plain": "/", "odd": "/%20"} {
		head := strings.Replace(fmt.Sprintf(upgrade, "x"), "GET / ", "GET "+path+" ", 1)
		long := func(bytes int) string {
			filler := "X-Filler: " + strings.Repeat("x", bytes-len(head)-len("X-Filler: \r\n")) + "\r\n"
			return strings.TrimSuffix(head, "\r\n") + filler + "\r\n"
		}
		for bytes, want := range map[int]int{most: http.StatusSwitchingProtocols, most + 1: http.StatusRequestHeaderFieldsTooLarge} {
			for _, pieces := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d bytes/pieces=%t", name, bytes, pieces), func(t *testing.T) {
					p, request := s.connect(), long(bytes)
					if len(request) != bytes {
						t.Fatalf("the head has %d bytes, want %d", len(request), bytes)
					}
					if pieces {
						p.write([]byte(request[:100]))
						request = request[100:]
					}
					if got := p.answered(request); got != want {
						t.Errorf("status %d, want %d", got, want)
					}
				})
			}
		}
	}
}
