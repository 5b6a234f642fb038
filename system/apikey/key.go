package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// prefix begins every key, so that programs which look for secrets find one.
const prefix = "swk_"

// The cost of a hash: memory in KiB, passes over it, and threads.
const (
	memory  = 19 << 10
	passes  = 2
	threads = 1
)

const (
	idBytes     = 8
	secretBytes = 32
	saltBytes   = 16
	hashBytes   = 32
	checkBytes  = 2
)

var keyForm = regexp.MustCompile(`^` + prefix + `([0-9a-f]{16})_([0-9a-f]{64})$`)

// split returns the id and the secret of a key.
func split(key string) (id, secret string, ok bool) {
	parts := keyForm.FindStringSubmatch(key)
	if parts == nil {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// hash is what the file has of a secret.
type hash struct{ salt, key []byte }

// hashForm is the usual one of argon2id, with the cost that all keys have.
var hashForm = regexp.MustCompile(`^\$argon2id\$v=` + strconv.Itoa(argon2.Version) + fmt.Sprintf(`\$m=%d,t=%d,p=%d`, memory, passes, threads) +
	`\$([0-9A-Za-z+/]{22})\$([0-9A-Za-z+/]{43})$`)

func newHash(secret string) hash {
	h := hash{salt: random(saltBytes)}
	h.key = h.derive(secret)
	return h
}

func (h hash) derive(secret string) []byte {
	return argon2.IDKey([]byte(secret), h.salt, passes, memory, threads, hashBytes)
}

// is reports whether this is the secret. It takes a while.
func (h hash) is(secret string) bool {
	return subtle.ConstantTimeCompare(h.derive(secret), h.key) == 1
}

// check returns the beginning of a fast hash of a secret. A secret with another one is wrong, so guesses cost nothing. Two of
// the secret's 32 bytes could be learned from it.
func check(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:checkBytes])
}

func random(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data) // never fails
	return data
}

// newKey returns an id and a secret.
func newKey() (id, secret string) {
	return hex.EncodeToString(random(idBytes)), hex.EncodeToString(random(secretBytes))
}

// join is the key of an id and a secret.
func join(id, secret string) string { return strings.Join([]string{prefix + id, secret}, "_") }
