package admin

import (
	"net/http"
	"net/http/pprof"
	"strconv"
)

const profilesAt = "/debug/pprof/"

// longestProfile is how many seconds a profile may run.
const longestProfile = 120

// profiles serves what net/http/pprof has, by handlers of its own: the default mux is not used.
func (o Options) profiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := r.URL.Query().Get("seconds"); text != "" {
			if n, err := strconv.Atoi(text); err != nil || n < 1 || n > longestProfile {
				refuse(w, http.StatusBadRequest, "seconds is a whole number from 1 to "+strconv.Itoa(longestProfile))
				return
			}
		}
		// pprof's page of links has its style inline.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		switch r.URL.Path[len(profilesAt):] {
		case "cmdline":
			pprof.Cmdline(w, r)
		case "profile":
			pprof.Profile(w, r)
		case "symbol":
			pprof.Symbol(w, r)
		case "trace":
			pprof.Trace(w, r)
		default:
			pprof.Index(w, r)
		}
	})
}
