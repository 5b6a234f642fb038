package console

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what a password costs to check: memory in KiB, passes over it, and threads.
type cost struct {
	memory, passes uint32
	threads        uint8
}

// The cost of new hashes, and the most that a hash may cost.
var (
	newCost  = cost{memory: 19 << 10, passes: 2, threads: 1}
	mostCost = cost{memory: 1 << 20, passes: 32, threads: 16}
)

const (
	saltBytes = 16
	keyBytes  = 32
	// LongestPassword is in bytes.
	LongestPassword = 1024
)

// HashPassword returns the line that admin.password_hash takes for a password.
func HashPassword(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	h := hash{cost: newCost, salt: salt}
	h.key = h.derive(password)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.memory, h.cost.passes, h.cost.threads, encode(h.salt), encode(h.key))
}

// hash is what is known of a password.
type hash struct {
	cost      cost
	salt, key []byte
}

var errHash = errors.New("it is no line that strowger admin password has printed")

func parseHash(text string) (*hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errHash
	}
	h := new(hash)
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.cost.memory, &h.cost.passes, &h.cost.threads); n != 3 || err != nil {
		return nil, errHash
	}
	if h.cost.memory > mostCost.memory || h.cost.passes > mostCost.passes || h.cost.threads > mostCost.threads || h.cost.passes == 0 || h.cost.threads == 0 {
		return nil, errors.New("it costs too much or too little to check")
	}
	var saltErr, keyErr error
	h.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, keyErr = base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(h.salt) < 8 || len(h.key) < 16 {
		return nil, errHash
	}
	return h, nil
}

func (h *hash) derive(password string) []byte {
	length := len(h.key)
	if length == 0 {
		length = keyBytes
	}
	return argon2.IDKey([]byte(password), h.salt, h.cost.passes, h.cost.memory, h.cost.threads, uint32(length))
}

// is reports whether this is the password. It takes a while.
func (h *hash) is(password string) bool {
	return subtle.ConstantTimeCompare(h.derive(password), h.key) == 1
}
