package envelope

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	mathrand "math/rand/v2"
)

// NewID returns 128 random bits as 32 lowercase hex digits. The router names subscribers with it;
// an id is never given twice and cannot be guessed (protocol 11.14).
func NewID() string {
	var b [16]byte
	// crypto/rand.Read never fails; it ends the program when the system has no randomness.
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// appendID appends a quoted envelope id of 32 hex digits. Nothing reads the id of an envelope, so
// it need be unique, not secret.
func appendID(dst []byte) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], mathrand.Uint64())
	binary.BigEndian.PutUint64(b[8:], mathrand.Uint64())
	dst = append(dst, '"')
	dst = hex.AppendEncode(dst, b[:])
	return append(dst, '"')
}
