package system

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// UpgradeVariable tells a process that it is to take over from the one that has started it.
const UpgradeVariable = "STROWGER_UPGRADE"

// UpgradeEnvironment returns the environment of a new process: that of this one without what is for this one alone.
func UpgradeEnvironment(environ []string) []string {
	alone := []string{UpgradeVariable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"}
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(alone, name)
	})
}

// upgrades is what a system knows of its upgrades.
type upgrades struct {
	busy   sync.Mutex
	handed atomic.Bool  // another process has the connections
	done   atomic.Int64 // over all processes, as the next
	failed atomic.Int64
}

// Upgraded says how an upgrade went.
type Upgraded struct {
	Version     string        `json:"version"` // of the new process
	PID         int           `json:"pid"`     // of the new process
	Connections int           `json:"connections"`
	Closed      int           `json:"closed"` // connections that did not cross, as those with TLS
	P50         time.Duration `json:"pause_p50_ns"`
	P99         time.Duration `json:"pause_p99_ns"`
	Max         time.Duration `json:"pause_max_ns"`
}

// pauses sets how long connections were not read from.
func (u *Upgraded) pauses(all []time.Duration) {
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	u.P50, u.P99, u.Max = all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
}

// upgradeHandler answers POST with an Upgraded, or with what went wrong. It is nil if there is nobody to ask.
func (s *System) upgradeHandler() http.Handler {
	if s.onUpgrade == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, answered, err := s.onUpgrade(r.Context())
		if answered != nil {
			defer answered()
		}
		s.note("upgrade", r.RemoteAddr, err)
		// The limit of other answers is shorter than an upgrade may take.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		w.Header().Set("Connection", "close")
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		text, err := json.Marshal(u)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// With its length the answer is whole once it is flushed. This process may end before the handler has returned.
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		// An error means that whoever asked is gone.
		_, _ = w.Write(text)
		_ = http.NewResponseController(w).Flush()
	})
}
