package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// clientOf returns whom a connection comes from. The request is nil if none could be read.
func (s *Server) clientOf(o *opening, r *http.Request) fmt.Stringer {
	named := o.from.IsValid()
	if !named && (r == nil || len(s.proxies) == 0) {
		return farEnd(o.conn)
	}
	peer := o.conn.RemoteAddr()
	if named {
		peer = net.TCPAddrFromAddrPort(o.from)
	}
	if r == nil {
		return peer
	}
	return address(remoteOf(peer.String(), r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded"), s.proxies))
}

// farEnd returns the other end of a connection as logs show it.
func farEnd(conn net.Conn) fmt.Stringer {
	if b, ok := conn.(fmt.Stringer); ok {
		return b // itself, so that no address need be kept beside it
	}
	return conn.RemoteAddr()
}

// refused counts and logs a handshake that failed. The request is nil if none could be read.
func (s *Server) refused(remote fmt.Stringer, request *http.Request, err error) {
	e := refusals.Event{Cause: refusals.Abandoned, Remote: remote.String(), More: []any{"err", err}}
	var r *refusal
	if errors.As(err, &r) {
		e.Cause, e.Kind = r.cause, r.reason
		e.More = []any{"status", r.status, "reason", r.reason}
		if r.err != nil {
			e.More = append(e.More, "err", r.err)
		}
		if request != nil {
			e.More = append(e.More, "host", request.Host, "origin", request.Header.Get("Origin"))
		}
	}
	if bad, ok := errors.AsType[*errProxyHeader](err); ok {
		e.Cause, e.Kind = refusals.ProxyHeader, bad.reason
	}
	s.opts.Deps.Refusals().Add(e)
}

// violated counts and logs what the peer did wrong.
func (r *reader) violated(v *violation) {
	e := refusals.Event{Cause: refusals.Protocol, Kind: v.what, More: []any{"code", int(v.code), "reason", v.what}}
	switch v.code {
	case frame.CloseTooBig:
		if v.what == tooManyFrames {
			e.Cause, e.Kind = refusals.Fragments, ""
			e.More = append(e.More, "limit", r.fragments())
			break
		}
		e.Cause, e.Kind, e.Setting = refusals.TooBig, "", sizeSetting(r.socket.mayDoNow())
		e.More = append(e.More, "limit", r.limit())
	case frame.CloseTryLater:
		e.Cause, e.Kind = refusals.UnauthenticatedBytes, ""
		e.More = append(e.More, "bytes", r.socket.shard.egress.UnauthenticatedBytes(), "limit", r.socket.shard.limits.Load().UnauthenticatedTotal)
	case frame.CloseInvalidData:
		e.Cause = refusals.NotUTF8
	case frame.CloseInternalError:
		return // a panic, which is logged where it happens
	}
	r.socket.cutOff(&e)
}

// sizeSetting returns the setting that bounds the messages of a role.
func sizeSetting(role actors.Role) string {
	switch role {
	case actors.Service:
		return "limits.service_bytes"
	case actors.Client:
		return "limits.client_bytes"
	default:
		return "limits.unauthenticated_bytes"
	}
}

// cutOff counts and logs that the router ends a connection, or does less to its peer.
func (s *socket) cutOff(e *refusals.Event) {
	e.Remote, e.Role = s.remote.String(), s.mayDoNow().String()
	if p := s.peer.Load(); p != nil {
		e.More = append(p.Who(), e.More...)
	}
	s.shard.deps.Refusals().Add(*e)
}

// lost counts and logs that the peer cannot be reached any more, if that is what err says. The kernel says so
// once, to the reader or to the writer. It gives up after the same time whatever it says. If it has heard from a
// router or a neighbour meanwhile that there is no way to the peer, it says that.
func (s *socket) lost(err error) {
	no, _ := errors.AsType[syscall.Errno](err)
	switch no {
	case timedOut, noHost, noNetwork:
		s.cutOff(&refusals.Event{Cause: refusals.Unreachable, More: []any{"err", no}})
	}
}

// acceptFailed counts and logs that no connection could be accepted. The caller tries again.
func (s *Server) acceptFailed(err error) {
	e := refusals.Event{Cause: refusals.Accept, More: []any{"err", err}}
	no, _ := errors.AsType[syscall.Errno](err)
	switch no {
	case noDescriptor:
		e.Cause = refusals.Descriptors
	case syscall.ENFILE:
		e.Cause, e.Setting = refusals.Descriptors, "fs.file-max"
	default:
		e.Kind = no.Error() // one error does not hide another
	}
	s.opts.Deps.Refusals().Add(e)
}
