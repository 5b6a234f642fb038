package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/system/token"
)

// pageService is a service for the pages' clients: it answers call with a payload, refuse with a
// 403, and announce with a broadcast.
type pageService struct {
	gws.BuiltinEventHandler
	name, tokenDir string

	authenticated chan struct{} // closed when the daemon let it in
	left          chan struct{} // closed when the socket is

	mu  sync.Mutex // Protects following.
	err error      // what went wrong
}

// pageEnvelope is what the service sends, as a PHP service would but for the keys it leaves out.
type pageEnvelope struct {
	Service      string          `json:"service_name"`
	Topic        string          `json:"topic"`
	StatusString string          `json:"status_string,omitempty"`
	StatusCode   int             `json:"status_code,omitempty"`
	RequestID    json.RawMessage `json:"request_id,omitempty"`
	ResourceID   string          `json:"resource_id,omitempty"`
	Payload      any             `json:"payload"`
}

// startPageService connects the service and waits until it has authenticated. It leaves when t ends.
func startPageService(t *testing.T, d *daemon, name string) {
	t.Helper()
	s := &pageService{name: name, tokenDir: d.TokenDir, authenticated: make(chan struct{}), left: make(chan struct{})}
	socket, _, err := gws.NewClient(s, &gws.ClientOption{Addr: "ws://" + d.Addr + "/"})
	if err != nil {
		t.Fatalf("connect service: %v", err)
	}
	go func() {
		defer close(s.left)
		socket.ReadLoop()
	}()
	t.Cleanup(func() {
		// Refused where the daemon closed the socket first.
		_ = socket.WriteClose(1000, nil)
		<-s.left
		if err := s.failure(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-s.authenticated:
	case <-s.left:
		t.Fatalf("service was closed before it authenticated: %v", s.failure())
	case <-time.After(deadline):
		t.Fatalf("service has not authenticated after %v", deadline)
	}
}

// OnMessage handles one envelope; the library calls it for one at a time.
func (s *pageService) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	if err := s.handle(socket, message.Bytes()); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = errors.Join(s.err, err)
	}
}

func (s *pageService) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *pageService) handle(socket *gws.Conn, text []byte) error {
	var got struct {
		Topic      string          `json:"topic"`
		RequestID  json.RawMessage `json:"request_id"`
		ResourceID string          `json:"resource_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return fmt.Errorf("service got %q: %w", text, err)
	}
	reply := pageEnvelope{
		Service: s.name, Topic: got.Topic, StatusString: "ok", StatusCode: 200,
		RequestID: got.RequestID, ResourceID: got.ResourceID,
	}
	switch got.Topic {
	case "authenticate":
		return s.authenticate(socket)
	case "authenticated":
		close(s.authenticated)
		return nil
	case "call":
		reply.Payload = map[string]any{"event_name": "CALL", "domain_name": labDomain, "asked": got.Payload}
	case "refuse":
		reply.StatusString, reply.StatusCode = "error", 403
	case "announce":
		return errors.Join(send(socket, reply), send(socket, pageEnvelope{
			Service: s.name, Topic: "announcement",
			Payload: map[string]any{"event_name": "ANNOUNCEMENT", "domain_name": labDomain, "asked": got.Payload},
		}))
	default:
		return fmt.Errorf("service got the unexpected topic %q", got.Topic)
	}
	return send(socket, reply)
}

func (s *pageService) authenticate(socket *gws.Conn) error {
	created, _, err := token.Create(s.tokenDir, token.Spec{ServiceName: s.name, ServiceClass: "lab_plain_service"}, token.PHP)
	if err != nil {
		return err
	}
	return send(socket, map[string]any{"service": "authentication", "token": pageToken{created.Name, created.Hash}})
}

func send(socket *gws.Conn, envelope any) error {
	data, err := json.Marshal(envelope)
	if err != nil {
		return err
	}
	return socket.WriteMessage(gws.OpcodeText, data)
}
