package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/lxzan/gws"

	"strowger/system/token"
)

// broker is a router in miniature that believes token files. Its service echo answers with the
// request's topic and payload, deny with 403 and mute not at all.
type broker struct {
	gws.BuiltinEventHandler
	t     *testing.T
	url   string
	dir   string // of the tokens
	store *token.Store
	asked chan struct{} // gets a value for each request to mute

	silent string // a service that answers nothing, beside mute

	mu     sync.Mutex // protects following
	tokens []*token.Token
	conns  []*gws.Conn
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	dir := t.TempDir()
	store, err := token.Open(token.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, dir: dir, store: store, asked: make(chan struct{}, 16)}
	upgrader := gws.NewUpgrader(b, nil)
	var readers sync.WaitGroup
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		readers.Go(conn.ReadLoop)
	}))
	b.url = "ws" + web.URL[len("http"):]
	t.Cleanup(func() {
		b.drop()
		web.Close()
		readers.Wait()
	})
	return b
}

// packet is a message of the protocol, as far as the broker needs it.
type packet struct {
	Service     string          `json:"service,omitempty"`
	ServiceName string          `json:"service_name"`
	Topic       string          `json:"topic"`
	Status      string          `json:"status_string"`
	Code        int             `json:"status_code"`
	RequestID   string          `json:"request_id"`
	Token       json.RawMessage `json:"token,omitempty"`
	Payload     json.RawMessage `json:"payload"`
}

func (b *broker) send(conn *gws.Conn, p packet) {
	data, err := json.Marshal(p)
	if err != nil {
		b.t.Errorf("broker: %v", err)
	}
	// An error means that the client is gone, which its own side tells.
	_ = conn.WriteMessage(gws.OpcodeText, data)
}

// broadcast sends a message of service to everyone.
func (b *broker) broadcast(service, topic, payload string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.conns {
		b.send(conn, packet{ServiceName: service, Topic: topic, Payload: json.RawMessage(payload)})
	}
}

// drop cuts all connections.
func (b *broker) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.conns {
		conn.NetConn().Close()
	}
	b.conns = nil
}

// lastToken returns the token of the last one who authenticated.
func (b *broker) lastToken() *token.Token {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tokens[len(b.tokens)-1]
}

func (b *broker) OnOpen(conn *gws.Conn) {
	b.send(conn, packet{ServiceName: "authentication", Topic: "authenticate", Code: 407})
}

func (b *broker) OnMessage(conn *gws.Conn, m *gws.Message) {
	var p packet
	if err := json.Unmarshal(m.Bytes(), &p); err != nil {
		b.t.Errorf("broker: %q: %v", m.Bytes(), err)
		return
	}
	answer := packet{ServiceName: p.Service, Topic: p.Topic, RequestID: p.RequestID, Status: "ok", Code: 200}
	switch p.Service {
	case b.silent:
		return
	case "authentication":
		answer.Code = b.authenticate(conn, p.Token)
	case "echo":
		answer.Payload = p.Payload
	case "deny":
		answer.Status, answer.Code = "<denied>", 403
	case "mute":
		b.asked <- struct{}{}
		return
	}
	b.send(conn, answer)
}

// authenticate claims a token and returns the status code.
func (b *broker) authenticate(conn *gws.Conn, raw json.RawMessage) int {
	var named struct{ Name, Hash string }
	if err := json.Unmarshal(raw, &named); err != nil {
		return 401
	}
	claimed, err := b.store.Claim(named.Name, named.Hash)
	if err != nil {
		return 401
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = append(b.tokens, claimed)
	b.conns = append(b.conns, conn)
	return 200
}
