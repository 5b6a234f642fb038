package admin

import (
	"net/http"
	"net/http/pprof"
	"runtime"
	"strconv"
	"sync"
	"time"
)

const profilesAt = "/debug/pprof/"

// longestProfile is how many seconds a profile may run.
const longestProfile = 120

// waits has the runtime note where goroutines wait, for as long as somebody wants to know. The zero value
// is ready.
type waits struct {
	mu    sync.Mutex // Protects following.
	asked int
}

const (
	blockEvery = int(100 * time.Microsecond) // nanoseconds of waiting to one sample
	mutexEvery = 10                          // contentions to one sample
)

func (w *waits) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked++; w.asked == 1 {
		runtime.SetBlockProfileRate(blockEvery)
		runtime.SetMutexProfileFraction(mutexEvery)
	}
}

func (w *waits) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked--; w.asked == 0 {
		runtime.SetBlockProfileRate(0)
		runtime.SetMutexProfileFraction(0)
	}
}

// profiles serves what net/http/pprof has, by handlers of its own: the default mux is not used.
func (o Options) profiles() http.Handler {
	waits := new(waits)
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
		case "block", "mutex":
			waits.watch()
			defer waits.rest()
			pprof.Index(w, r)
		default:
			pprof.Index(w, r)
		}
	})
}
