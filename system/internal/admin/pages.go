package admin

import (
	"net"
	"net/http"
	"strings"

	"strowger/system/internal/introspect"
)

// explainAt is the path of explanations.
const explainAt = "/explain"

// subscribersAt is the path of the list of a service's subscribers.
const subscribersAt = "/subscribers"

// ScriptAt is the path of the client for pages.
const ScriptAt = "/strowger.js"

// reloadAt is the path that has the settings read anew.
const reloadAt = "/reload"

// upgradeAt is the path that has a new process take over.
const upgradeAt = "/upgrade"

// handler returns all there is to ask for. A path is taken as it is: none leads to another.
func (o Options) handler(addr net.Addr) (http.Handler, error) {
	metrics, err := o.metrics()
	if err != nil {
		return nil, err
	}
	pages := map[string]page{
		"/healthz":     o.health,
		"/readyz":      o.ready,
		"/tree":        o.tree,
		"/deadletters": o.deadLetters,
		"/cluster":     o.cluster,
		"/refusals":    o.refusals,
	}
	profiles := o.profiles()
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if p, ok := pages[path]; ok {
			p.serve(w, r, o.Log)
			return
		}
		switch {
		case o.Console != nil && ofConsole(path):
			o.Console.ServeHTTP(w, r)
		case path == "/metrics":
			metrics.ServeHTTP(w, r)
		case o.Script != nil && path == ScriptAt:
			o.Script.ServeHTTP(w, r)
		case o.Explain != nil && path == explainAt:
			o.Explain.ServeHTTP(w, r)
		case o.Subscribers != nil && path == subscribersAt:
			o.Subscribers.ServeHTTP(w, r)
		case o.Reload != nil && path == reloadAt:
			o.Reload.ServeHTTP(w, r)
		case o.Upgrade != nil && path == upgradeAt:
			o.Upgrade.ServeHTTP(w, r)
		case o.Profiling && strings.HasPrefix(path, profilesAt):
			profiles.ServeHTTP(w, r)
		default:
			refuse(w, http.StatusNotFound, "there is /healthz, /readyz, /metrics, /tree, /deadletters, /refusals, /cluster, /explain, /subscribers, /strowger.js and, unless it is turned off, /console/")
		}
	})
	return newGuard(routes, o, addr), nil
}

// consoleAt is where the console is.
const consoleAt = "/console"

func ofConsole(path string) bool {
	return path == consoleAt || strings.HasPrefix(path, consoleAt+"/")
}

// health says whether the core gets on.
func (o Options) health() (int, any) {
	if lost := o.Source.Lost(); len(lost) > 0 {
		return http.StatusServiceUnavailable, map[string]any{"status": "hangs", "problems": lost}
	}
	return http.StatusOK, map[string]string{"status": "ok"}
}

func (o Options) ready() (int, any) {
	type readiness struct {
		Ready    bool                 `json:"ready"`
		Problems []introspect.Problem `json:"problems"`
		Notes    []introspect.Problem `json:"notes,omitempty"`
	}
	problems, notes := o.Source.Ready(), o.Source.Notes()
	if len(problems) > 0 {
		return http.StatusServiceUnavailable, readiness{false, problems, notes}
	}
	return http.StatusOK, readiness{true, []introspect.Problem{}, notes}
}

func (o Options) cluster() (int, any) { return http.StatusOK, o.Source.Cluster() }

func (o Options) refusals() (int, any) {
	return http.StatusOK, map[string][]introspect.Refusal{"refusals": append([]introspect.Refusal{}, o.Source.Refusals()...)}
}

func (o Options) tree() (int, any) { return http.StatusOK, o.Source.Tree() }

func (o Options) deadLetters() (int, any) {
	type letter struct {
		introspect.DeadLetter
		Payload *string `json:"payload,omitempty"` // nil unless Payloads is set
	}
	kept := o.Source.DeadLetters()
	letters := make([]letter, len(kept))
	for i, l := range kept {
		letters[i].DeadLetter = l
		if o.Payloads {
			payload := string(l.Payload)
			letters[i].Payload = &payload
		}
	}
	return http.StatusOK, map[string]any{"letters": letters}
}
