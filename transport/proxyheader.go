package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ProxyProtocol says which trusted proxies begin their connections with a header of the PROXY protocol.
type ProxyProtocol int

// None do, some do, or all do.
const (
	NoProxyHeader ProxyProtocol = iota
	OptionalProxyHeader
	RequiredProxyHeader
)

// The bounds of a header. The protocol has the first.
const (
	maxProxyLine  = 107     // version 1
	maxProxyBytes = 4 << 10 // version 2, behind its first 16 bytes
)

// proxySignature is what a header of version 2 begins with.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// errProxyHeader is why a header is refused.
type errProxyHeader struct{ reason string }

func (e *errProxyHeader) Error() string { return "PROXY header: " + e.reason }

// isProxied reports whether a connection may begin with a header of the PROXY protocol.
func (s *Server) isProxied(conn net.Conn) bool {
	if s.opts.ProxyProtocol == NoProxyHeader {
		return false
	}
	hop, ok := parseHop(conn.RemoteAddr().String())
	return ok && isTrusted(hop, s.proxies)
}

// unwrap reads the header with which a trusted proxy begins its connection, and notes the address in it.
func (s *Server) unwrap(o *opening, conn *turnConn) error {
	if !s.isProxied(o.conn) {
		return nil
	}
	if err := conn.SetDeadline(o.due); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return unreadable(err)
	}
	if first[0] != 'P' && first[0] != proxySignature[0] {
		if s.opts.ProxyProtocol == RequiredProxyHeader {
			return &errProxyHeader{"there is none"}
		}
		conn.back = first[:]
		return nil
	}
	from, err := readProxyHeader(io.MultiReader(bytes.NewReader(first[:]), conn))
	o.from = from
	if bad, ok := errors.AsType[*errProxyHeader](err); ok {
		return bad
	}
	return unreadable(err)
}

// unreadable returns the error for a header that could not be read to its end because of err.
func unreadable(err error) error {
	switch {
	case err == nil:
		return nil
	case isTimeout(err):
		return noRequestInTime()
	}
	return fmt.Errorf("read PROXY header: %w", err)
}

// readProxyHeader reads a header of the PROXY protocol, version 1 or 2, and nothing behind it. It returns whom the
// connection comes from, or the zero AddrPort if the proxy speaks for itself or does not know.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	var begin [len(proxySignature)]byte
	if _, err := io.ReadFull(r, begin[:]); err != nil {
		return netip.AddrPort{}, err
	}
	if string(begin[:]) == proxySignature {
		return readProxyBytes(r)
	}
	if !bytes.HasPrefix(begin[:], []byte("PROXY ")) {
		return netip.AddrPort{}, &errProxyHeader{"it begins with neither signature"}
	}
	line := begin[:]
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) == maxProxyLine {
			return netip.AddrPort{}, &errProxyHeader{fmt.Sprintf("the line is over %d bytes", maxProxyLine)}
		}
		var next [1]byte
		if _, err := io.ReadFull(r, next[:]); err != nil {
			return netip.AddrPort{}, err
		}
		line = append(line, next[0])
	}
	return parseProxyLine(string(line[:len(line)-2]))
}

// parseProxyLine reads a header of version 1.
func parseProxyLine(line string) (netip.AddrPort, error) {
	fields := strings.Split(line, " ")
	if len(fields) >= 2 && fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.AddrPort{}, &errProxyHeader{"the line has another form"}
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		addr, err := netip.ParseAddr(fields[2+i])
		if err != nil || addr.Zone() != "" || addr.Is4() != (fields[1] == "TCP4") {
			return netip.AddrPort{}, &errProxyHeader{"an address makes no sense"}
		}
		port, err := strconv.ParseUint(fields[4+i], 10, 16)
		if err != nil {
			return netip.AddrPort{}, &errProxyHeader{"a port makes no sense"}
		}
		ends[i] = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	}
	return ends[0], nil
}

// readProxyBytes reads a header of version 2 behind its signature.
func readProxyBytes(r io.Reader) (netip.AddrPort, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return netip.AddrPort{}, err
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case head[0]>>4 != 2:
		return netip.AddrPort{}, &errProxyHeader{"the version is unknown"}
	case head[0]&0xF > 1:
		return netip.AddrPort{}, &errProxyHeader{"the command is unknown"}
	case length > maxProxyBytes:
		return netip.AddrPort{}, &errProxyHeader{fmt.Sprintf("it is over %d bytes", maxProxyBytes)}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return netip.AddrPort{}, err
	}
	if head[0]&0xF == 0 {
		return netip.AddrPort{}, nil // the proxy speaks for itself, as for a health check
	}
	// Of each family the source comes first, then the destination, and then the ports in the same order.
	const (
		tcp4 = 0x11
		tcp6 = 0x21
	)
	size := 0
	switch head[1] {
	case tcp4:
		size = 4
	case tcp6:
		size = 16
	default:
		return netip.AddrPort{}, nil // a family that this router does not have
	}
	if len(body) < 2*size+4 {
		return netip.AddrPort{}, &errProxyHeader{"the addresses are cut off"}
	}
	addr, _ := netip.AddrFromSlice(body[:size])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(body[2*size:])), nil
}
