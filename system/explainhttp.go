package system

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// largestEvent bounds the event of an explanation, in bytes.
const largestEvent = 16 << 20

// explainHandler answers GET and POST ?subscriber=ID&service=NAME, the body of a POST being an
// event as ParseEvent takes it, with a list of Explanations. It shows payloads that it was given
// and permissions by name, so it is for a listener that only administrators reach.
func (s *System) explainHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, POST")
			http.Error(w, "explain: want GET or POST", http.StatusMethodNotAllowed)
			return
		}
		subscriber, service := r.URL.Query().Get("subscriber"), r.URL.Query().Get("service")
		if subscriber == "" || service == "" {
			http.Error(w, "explain: want subscriber and service", http.StatusBadRequest)
			return
		}
		var event *Event
		if r.Method == http.MethodPost {
			data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestEvent))
			if err == nil {
				event, err = ParseEvent(data)
			}
			if err != nil {
				http.Error(w, "explain: "+err.Error(), http.StatusBadRequest)
				return
			}
		}
		explanations, err := s.Explain(subscriber, service, event)
		switch {
		case err == nil:
		case errors.Is(err, ErrUnknownService), errors.Is(err, ErrNoMember), errors.Is(err, ErrNoInstance):
			http.Error(w, "explain: "+err.Error(), http.StatusNotFound)
			return
		default:
			http.Error(w, "explain: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// An error means that whoever asked is gone.
		_ = json.NewEncoder(w).Encode(explanations)
	})
}
