package transport

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/transport/web"
)

// Limits bound what peers can make the transport hold. A reload replaces them as a whole; open
// connections follow, except for the sizes of a role they already have.
type Limits struct {
	Connections            int           // open at once; further ones get HTTP 503
	ServiceReserve         int           // of them, those that clients may not take
	Unauthenticated        int           // of them, those that may wait to authenticate; 0: all
	PerAddress             int           // of them, those of one address; 0: all
	Handshakes             int           // worked on at a time; 0: two for each processor
	HeaderBytes            int           // request line and headers of the handshake
	HeaderTimeout          time.Duration // for the whole handshake
	UnauthenticatedBytes   int64         // longest message before authentication
	UnauthenticatedTotal   int64         // bytes that all unauthenticated connections together may hold
	ClientBytes            int64         // longest message of a client
	ServiceBytes           int64         // longest message of a service
	Fragments              int           // frames of one message; 0: any number
	InboundMessages        int           // a client's messages under way inside the router
	ServiceInboundMessages int           // a service's
	MessageRate            int           // frames that a client may send in a second; 0: any number
	ByteRate               int64         // bytes that a client may send in a second; 0: any number
	InboundTotal           int64         // of long messages of all clients; 0: any number
	OutboundMessages       int           // waiting for one slow reader
	OutboundBytes          int64
	OutboundTotal          int64         // waiting for all slow readers; 0: any number
	OutboundRate           int64         // bytes a second that a slow reader must take; 0: none
	WriteTimeout           time.Duration // for each write to a slow reader
	PingInterval           time.Duration // 0: no pings; services are never pinged
	IdleTimeout            time.Duration // 0: never; services are exempt
	PingerTimeout          time.Duration // 0: never; without a sign of life from a peer that has pinged and is not timed otherwise
	TCPKeepAlive           time.Duration // interval of the kernel's probes; negative: off
	Origins                []string      // allowed besides none and the request's own host

	// File returns the answer to a GET of a file that is served beside the sockets. It returns nil if there is no such
	// file. Nil means that there are none.
	File func(*http.Request) *http.Response

	// Compression says whether handshakes agree to permessage-deflate. CompressionLevel is from 1 to 9. Messages of less
	// than CompressionThreshold bytes are not compressed.
	Compression          bool
	CompressionLevel     int
	CompressionThreshold int

	// HTTP says whether requests that ask for no socket are answered. The others bound these, see web.Limits.
	HTTP                bool
	HTTPBatch           int
	HTTPBodyTimeout     time.Duration
	HTTPRate            int
	IdempotencyLifetime time.Duration
	IdempotencyKeys     int
	IdempotencyBytes    int64
}

// web returns the limits of requests that ask for no socket, nil if none are answered.
func (l *Limits) web() *web.Limits {
	if !l.HTTP {
		return nil
	}
	return &web.Limits{
		Batch: l.HTTPBatch, BodyTimeout: l.HTTPBodyTimeout, Rate: l.HTTPRate,
		IdempotencyLifetime: l.IdempotencyLifetime, IdempotencyKeys: l.IdempotencyKeys, IdempotencyBytes: l.IdempotencyBytes,
		ClientBytes: l.ClientBytes, ServiceBytes: l.ServiceBytes, InboundMessages: l.InboundMessages, ServiceMessages: l.ServiceInboundMessages, OutboundMessages: l.OutboundMessages, OutboundBytes: l.OutboundBytes,
		WriteTimeout: l.WriteTimeout, PingInterval: l.PingInterval,
	}
}

// messageBytes returns the longest message of a role.
func (l *Limits) messageBytes(r actors.Role) int64 {
	switch r {
	case actors.Service:
		return l.ServiceBytes
	case actors.Client:
		return l.ClientBytes
	default:
		return l.UnauthenticatedBytes
	}
}

// window returns how many messages of a role may be under way.
func (l *Limits) window(r actors.Role) int {
	if r == actors.Service {
		return l.ServiceInboundMessages
	}
	return l.InboundMessages
}

// Options is what the transport needs. All fields but TLS, TrustedProxies, ProxyProtocol, Descriptors and Listener are
// needed.
type Options struct {
	Limits *atomic.Pointer[Limits]
	TLS    *tls.Config // nil: plain TCP
	Log    *slog.Logger
	Deps   *actors.Deps
	// TrustedProxies are addresses and networks of proxies whose word on the client's address is taken.
	TrustedProxies []string
	// ProxyProtocol says which of these begin their connections with a header of the PROXY protocol.
	ProxyProtocol ProxyProtocol
	// Descriptors is how many files the process may have open. 0 means any number.
	Descriptors int
	// Listener, unless nil, takes the place of one that Listen would open. It is a *net.TCPListener. Listen owns it.
	Listener net.Listener
}
