package transport

import (
	"crypto/sha1"
	"encoding/base64"
)

// acceptance answers an opening request (RFC 6455, section 4.2.2). It offers neither subprotocols nor
// extensions.
func acceptance(key []byte) []byte {
	const (
		head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
		guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
		tail = "\r\n\r\n"
	)
	var keyed [64]byte
	sum := sha1.Sum(append(append(keyed[:0], key...), guid...))
	answer := make([]byte, 0, len(head)+len(tail)+28)
	answer = append(answer, head...)
	answer = base64.StdEncoding.AppendEncode(answer, sum[:])
	return append(answer, tail...)
}
