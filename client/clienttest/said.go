package clienttest

import "encoding/json"

// Object is a JSON object.
type Object map[string]any

// Send sends an envelope. Keys that are left out are absent.
func (p *Peer) Send(envelope Object) {
	p.t.Helper()
	b, err := json.Marshal(envelope)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Frame(1, b)
}

// Greet asks the client to authenticate.
func (p *Peer) Greet() {
	p.t.Helper()
	p.Send(Object{"service_name": "authentication", "status_string": "Authentication Required", "status_code": 407, "request_id": "", "topic": "authenticate"})
}

// Admit says that the token is good.
func (p *Peer) Admit() {
	p.t.Helper()
	p.Send(Object{"service_name": "authentication", "status_string": "OK", "status_code": 200, "request_id": "", "topic": "authenticated"})
}

// Refuse says that the token is not good.
func (p *Peer) Refuse() {
	p.t.Helper()
	p.Send(Object{"service_name": "authentication", "status_string": "", "status_code": 401, "request_id": "", "topic": "unauthorized"})
}

// Token reads the message with which the client authenticates.
func (p *Peer) Token() Token {
	p.t.Helper()
	m := p.Next()
	if m.Service != "authentication" || m.Token == nil {
		p.t.Fatalf("router: got a message to %q, with a token: %t, want an authentication", m.Service, m.Token != nil)
	}
	return *m.Token
}

// Login lets the client authenticate and returns the token that it used.
func (p *Peer) Login() Token {
	p.t.Helper()
	p.Greet()
	token := p.Token()
	p.Admit()
	return token
}

// Reply answers m.
func (p *Peer) Reply(m Message, code int, payload any) {
	p.t.Helper()
	p.Send(Object{"service_name": m.Service, "status_string": "ok", "status_code": code, "request_id": m.RequestID, "topic": m.Topic, "payload": payload})
}

// Broadcast sends what no request asked for.
func (p *Peer) Broadcast(service, topic string, payload any) {
	p.t.Helper()
	p.Send(Object{"service_name": service, "status_code": "", "request_id": "", "topic": topic, "payload": payload})
}
