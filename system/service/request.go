package service

import "encoding/json"

// Request is one request of one subscriber. It is open until Reply, Fail or End, its deadline, the
// departure of the subscriber or a crash of the service, whichever comes first; an answer to one
// that is not open any more is dropped and counted. A request that nobody answers gets 504 at its
// deadline, so a handler may keep it and answer later. Answers may come from any goroutine.
//
// A request without an id waits for nothing: it is over when its handler and all work that it
// started have returned. What is answered before goes out, but pages cannot tell it from a broadcast.
type Request struct {
	*Context
}

// Topic is what is asked for.
func (r *Request) Topic() string { panic("not implemented") }

// Payload is what came with the request, JSON; null when there was none. It must not be changed.
func (r *Request) Payload() json.RawMessage { panic("not implemented") }

// Decode reads the payload into what v points to, as Handle does. The error says what does not fit.
func (r *Request) Decode(v any) error { panic("not implemented") }

// Subscriber is who asks, as the router has stamped it.
func (r *Request) Subscriber() *Subscriber { panic("not implemented") }

// Reply answers with status 200, ok and payload, which is encoded as by Broadcast; if it cannot be,
// the answer is 500.
func (r *Request) Reply(payload any) { panic("not implemented") }

// ReplyWith is Reply under another topic and status, such as 202; from 400 on it is an error, but
// one with a payload of its own.
func (r *Request) ReplyWith(topic string, status int, payload any) { panic("not implemented") }

// Fail answers with a status of 400 or more and payload {"reason":reason}. The status_string is the
// protocol's, never the reason: pages take one with "success" in it for a success. It panics when
// the status is below 400.
func (r *Request) Fail(status int, reason string) { panic("not implemented") }

// Stream says one of several answers, with status 200; the request stays open until End, Reply or Fail.
func (r *Request) Stream(topic string, payload any) { panic("not implemented") }

// End closes the request without saying anything more.
func (r *Request) End() { panic("not implemented") }
