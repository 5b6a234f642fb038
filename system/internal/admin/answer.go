package admin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// page computes what a path answers: a status and a value for JSON.
type page func() (status int, body any)

// serve answers with the page, or with 500 and nothing of the reason if it panics.
func (p page) serve(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	status, body := p.compute(r, log)
	reply(w, status, body)
}

func (p page) compute(r *http.Request, log *slog.Logger) (status int, body any) {
	defer func() {
		if reason := recover(); reason != nil {
			log.Error("admin page panicked", "path", r.URL.Path, "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			status, body = http.StatusInternalServerError, failure{"the page could not be made"}
		}
	}()
	return p()
}

// failure is the body of every error.
type failure struct {
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, reason string) { reply(w, status, failure{reason}) }

func reply(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer is no JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// Who does not want to read the answer need not.
	_, _ = w.Write(append(data, '\n'))
}
