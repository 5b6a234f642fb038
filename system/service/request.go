package service

import "encoding/json"

// Request is one request of one subscriber. It is open until Reply, Fail, FailWith or End, its
// deadline, the departure of the subscriber or a crash of the service, whichever comes first; an
// answer to a request that is not open any more is dropped and counted. A request that nobody answers
// gets 504 at its deadline, so a handler may keep it and answer later. The methods may be called from
// any goroutine.
//
// A request without an id waits for nothing: it is over when its handler and all work that it started
// have returned. What is answered before goes out, but pages cannot tell it from a broadcast.
type Request interface {
	Context
	// Topic is what is asked for.
	Topic() string
	// Payload is what came with the request, JSON; null when there was none. It must not be changed.
	Payload() json.RawMessage
	// Decode reads the payload into what v points to, as the function Handle does. The error is an
	// *Error with status 400 and says what does not fit, so a handler may return it. It is another error
	// if v is not a pointer that json.Unmarshal takes.
	Decode(v any) error
	// Subscriber is who asks, as the router has stamped it.
	Subscriber() *Subscriber

	// Reply answers with status 200 and payload, which is encoded as by Broadcast; if it cannot be, the
	// answer is 500.
	Reply(payload any)
	// ReplyWith is Reply under another topic and status, such as 202; from 400 on it is an error, but
	// one with a payload of its own, and its status_string is "error". With 0 the answer has no status at all, as
	// some answers of FusionPBX's services. Any other status that is not between 200 and 599 is answered with 500
	// and logged, as FailWith does.
	ReplyWith(topic string, status int, payload any)
	// Fail answers with payload {"reason":reason} and a status between 400 and 599; any other status is
	// answered as FailWith does. A handler may return an error instead (see Errorf). The status_string is the
	// protocol's, never the reason, since pages take one with "success" in it for a success.
	Fail(status int, reason string)
	// FailWith answers as if the handler had returned err, for requests that are answered later. If err
	// is or wraps an *Error, the subscriber gets its status and reason, and the log has it at level
	// Debug. Any other error is counted, and logged at level Error once a minute for each topic; the
	// subscriber gets 500 without a reason. A request without an id gets no answer. A nil err counts as an error that says so.
	FailWith(err error)
	// Stream sends one of several answers, with status 200; the request stays open until End, Reply or
	// Fail.
	Stream(topic string, payload any)
	// End closes the request without saying anything more.
	End()

	// Alone reports whether no other node of a cluster has an instance of the service that could be asked. It is true
	// with one node, and for a service without Everywhere. Then Pass and Share do nothing, and Gather gets no answers.
	Alone() bool
	// Pass says that this instance does not have what the request is about, and that another one may have it. The
	// answer that follows counts only if no other instance has it either, so it is what the subscriber would get of one
	// node. When it has been given, with Reply, Fail, End or an error of the handler, the other instances get the
	// request, all at once. The first answer among theirs that does not follow a Pass reaches the subscriber; so it is
	// for requests about things that only one node can have.
	Pass()
	// Share has the other instances add to the answers that were given until now. Each of them gets the request as a
	// Part, and adds by Stream; what it fails with reaches nobody. A request may be shared
	// once, and not after Pass.
	Share()
	// Part reports whether another instance has asked this one, by Share or by Gather. A Part is not passed, shared or
	// gathered again.
	Part() bool
	// Gather asks the other instances, each of which gets the request as a Part, and calls f with what they have
	// answered, in the service's goroutine. An instance whose answer follows a Pass is left out, as is one that has not
	// answered within Service.GatherTimeout. If there is nobody to ask, f is called before Gather returns.
	Gather(f func(answers []Answer))
}

// Answer is what an instance on another node has answered to a Part.
type Answer struct {
	// Node is the name of the node.
	Node string
	// Topic, Status and Payload are as with Request.ReplyWith. Failures are among them.
	Topic   string
	Status  int
	Payload json.RawMessage
}
