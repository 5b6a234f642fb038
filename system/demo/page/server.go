// Package page serves the page of strowger demo: one HTML file that shows the demo's services, what
// it has to know, and fresh tokens for it. Whoever reaches it may be anybody of the demo, so it
// listens on loopback only and hands tokens to nobody but its own page.
package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"strowger/clients/js"
	"strowger/system/demo"
)

// Options says where the page is and what it shows. All fields but Chaos and Log are needed.
type Options struct {
	// Address is HOST:PORT to listen on, a loopback address; port 0 is any free one.
	Address string
	// Router is HOST:PORT of the router.
	Router string
	// Tokens is the directory in which the router looks for tokens.
	Tokens string
	// Users are whom the page may be, Services which ones it shows, Victims those that it breaks.
	Users    []demo.User
	Services []string
	Victims  []string
	// Chaos is the mean time between two faults by schedule, 0 if there are none.
	Chaos time.Duration
	// Log gets what the page could not be given. Nil means no log.
	Log *slog.Logger
}

// Server serves the page until Close.
type Server struct {
	o      Options
	host   string // as the page's address has it
	policy string // Content-Security-Policy
	mint   mint
	server *http.Server
	served chan error
}

// Listen serves the page. The caller must call Close.
func Listen(o Options) (*Server, error) {
	if err := CheckLoopback(o.Address); err != nil {
		return nil, fmt.Errorf("serve page: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("serve page: %w", err)
	}
	s := &Server{o: o, host: listener.Addr().String(), policy: contentPolicy(o.Router), mint: mint{dir: o.Tokens}, served: make(chan error, 1)}
	s.server = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.host + "/" }

// Close ends the server and takes tokens away that nobody has used. It returns when ctx ends at
// the latest.
func (s *Server) Close(ctx context.Context) error {
	defer s.mint.discard()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("close page: %w", err), s.server.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve page: %w", served))
	}
	return err
}

// CheckLoopback returns an error unless HOST:PORT can be reached from this machine only.
func CheckLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", address)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q is no loopback address such as 127.0.0.1, and a demo is for this machine only", host)
	}
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /setup.json", s.setup)
	mux.HandleFunc("POST /token", s.token)
	mux.Handle("GET /"+js.Name, js.Handler())
	return s.guard(mux)
}

// guard answers only who asks for this very address: the name of another site that leads here would
// make that site's page one of ours.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Host != s.host {
			http.Error(w, "the page is at "+s.URL(), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	s.write(w, []byte(index))
}

// setup is what the page asks for before it begins.
type setup struct {
	Socket   string              `json:"socket"`
	Users    []setupUser         `json:"users"`
	Services []string            `json:"services"`
	Victims  []string            `json:"victims"`
	Faults   []demo.Fault        `json:"faults"`
	Fields   map[string][]string `json:"fields"` // of a call: the permissions that show it
	Chaos    string              `json:"chaos,omitempty"`
}

type setupUser struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Permissions []string `json:"permissions"`
}

func (s *Server) setup(w http.ResponseWriter, _ *http.Request) {
	all := setup{
		Socket: "ws://" + s.o.Router + "/", Services: s.o.Services, Victims: s.o.Victims,
		Faults: demo.Faults(), Fields: demo.FieldPermissions(),
	}
	if s.o.Chaos > 0 {
		all.Chaos = s.o.Chaos.String()
	}
	for _, u := range s.o.Users {
		all.Users = append(all.Users, setupUser{u.ID, u.Name, u.Title, u.Spec.Permissions})
	}
	s.writeJSON(w, all)
}

// token gives the page a fresh token, and no other page: browsers say whose request it is.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "http://"+s.host {
		http.Error(w, "tokens are for the demo's own page", http.StatusForbidden)
		return
	}
	i := slices.IndexFunc(s.o.Users, func(u demo.User) bool { return u.ID == r.URL.Query().Get("user") })
	if i < 0 {
		http.Error(w, "there is no such user", http.StatusNotFound)
		return
	}
	made, err := s.mint.make(s.o.Users[i].Spec)
	if err != nil {
		s.o.Log.Error("no token for the page", "err", err)
		http.Error(w, "no token can be made", http.StatusInternalServerError)
		return
	}
	s.writeJSON(w, made)
}

func (s *Server) writeJSON(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("cannot encode an answer to the page", "err", err)
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, data)
}

func (s *Server) write(w http.ResponseWriter, data []byte) {
	if _, err := w.Write(data); err != nil {
		s.o.Log.Debug("page is gone", "err", err)
	}
}
