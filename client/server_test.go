package client_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/lxzan/gws"

	"strowger/client"
)

// server is the router that the examples talk to. It knows two services: "directory",
// which answers the topic "lookup" with the name behind an extension, and
// "active.calls", whose broadcasts the test sends. The examples know no more of it than
// url, token, broadcast, drop and stop.
type server struct {
	web *httptest.Server

	mu     sync.Mutex             // protects following
	tokens map[string]string      // hash by name, unused ones
	online map[*gws.Conn]struct{} // authenticated
}

// startServer starts a router on loopback. The caller must call stop.
func startServer() *server {
	s := &server{tokens: make(map[string]string), online: make(map[*gws.Conn]struct{})}
	upgrader := gws.NewUpgrader(&session{server: s}, nil)
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r)
		if err != nil {
			log.Print(err)
			return
		}
		conn.ReadLoop()
	}))
	return s
}

// url is where clients connect.
func (s *server) url() string {
	return "ws" + s.web.URL[len("http"):] + "/websockets/"
}

// token makes a token that is good for one connection.
func (s *server) token(context.Context) (client.Token, error) {
	t := client.Token{Name: rand.Text(), Hash: rand.Text()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Name] = t.Hash
	return t, nil
}

// broadcast sends a message of active.calls to every client.
func (s *server) broadcast(topic, payload string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.online {
		send(conn, envelope{Service: "active.calls", Topic: topic, Payload: json.RawMessage(payload)})
	}
}

// drop cuts every connection, as a restart of the router does.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.online {
		conn.NetConn().Close()
	}
}

func (s *server) stop() {
	s.drop()
	s.web.Close()
}

// envelope is the message of the protocol, as far as the examples need it.
type envelope struct {
	Service   string          `json:"service_name"`
	Topic     string          `json:"topic"`
	Status    string          `json:"status_string"`
	Code      int             `json:"status_code"`
	RequestID string          `json:"request_id"`
	Payload   json.RawMessage `json:"payload"`
}

func send(conn *gws.Conn, e envelope) {
	b, err := json.Marshal(e)
	if err != nil {
		log.Print(err)
		return
	}
	// An error means that the client is gone, which its own side tells.
	_ = conn.WriteMessage(gws.OpcodeText, b)
}

// session is the server's side of the connections.
type session struct {
	gws.BuiltinEventHandler
	server *server
}

func (h *session) OnOpen(conn *gws.Conn) {
	send(conn, envelope{Service: "authentication", Topic: "authenticate", Code: 407})
}

func (h *session) OnClose(conn *gws.Conn, _ error) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	delete(h.server.online, conn)
}

func (h *session) OnMessage(conn *gws.Conn, m *gws.Message) {
	var in struct {
		Service   string          `json:"service"`
		Topic     string          `json:"topic"`
		RequestID string          `json:"request_id"`
		Token     client.Token    `json:"token"`
		Payload   json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(m.Bytes(), &in); err != nil {
		log.Print(err)
		return
	}
	out := envelope{Service: in.Service, Topic: in.Topic, RequestID: in.RequestID, Status: "ok", Code: 200}
	switch in.Service {
	case "authentication":
		out.Code = h.server.authenticate(conn, in.Token)
	case "directory":
		out.Payload, out.Code = lookup(in.Payload)
	}
	send(conn, out)
}

// authenticate spends the token.
func (s *server) authenticate(conn *gws.Conn, t client.Token) (code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash, known := s.tokens[t.Name]
	delete(s.tokens, t.Name)
	if !known || hash != t.Hash {
		return 401
	}
	s.online[conn] = struct{}{}
	return 200
}

// lookup answers requests to the directory.
func lookup(payload json.RawMessage) (reply json.RawMessage, code int) {
	var query struct{ Extension string }
	if err := json.Unmarshal(payload, &query); err != nil {
		return nil, 400
	}
	if query.Extension != "1001" {
		return nil, 404
	}
	return json.RawMessage(`{"name":"Ada"}`), 200
}
