package system

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// refusal is what reloadHandler answers when nothing was changed.
type refusal struct {
	Error    string   `json:"error"`
	Problems []string `json:"problems,omitempty"` // each is what is wrong with one setting
}

// reloadHandler has the settings read anew and answers with what has changed, as a Reloaded. The answer is 422
// if they are wrong. With ?pid=N it does so only if that is this process, so that nobody reloads a router by
// mistake who has the port that another one should have. The admin pages decide who may ask. It is nil without
// Options.Reload.
func (s *System) reloadHandler() http.Handler {
	if s.reload == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pid := r.URL.Query().Get("pid"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
			answer(w, http.StatusConflict, refusal{Error: "this router is process " + strconv.Itoa(os.Getpid()) + ", not " + pid})
			return
		}
		done, err := s.reload(r.Context())
		s.note("reload", r.RemoteAddr, err)
		switch {
		case r.Context().Err() != nil:
			answer(w, http.StatusServiceUnavailable, refusal{Error: "the router stops"}) // or nobody waits any more
		case err != nil:
			answer(w, http.StatusUnprocessableEntity, refusal{"the settings are wrong, the running ones stay", strings.Split(strings.TrimSpace(err.Error()), "\n")})
		default:
			answer(w, http.StatusOK, done)
		}
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error means that whoever asked is gone.
	_ = json.NewEncoder(w).Encode(body)
}
