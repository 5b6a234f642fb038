package ticket

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"

	"strowger/system/internal/secretfile"
)

const (
	keyFileBytes = 4 << 10
	maxKeys      = 16
	keyIDSize    = 4
)

// keyID says which key has sealed a ticket. It tells nothing of the key.
type keyID [keyIDSize]byte

// key seals and opens tickets.
type key struct {
	id   keyID
	aead cipher.AEAD
}

// keys are those of a key file. The first one seals, and each of them opens.
type keys []key

func newKey(secret []byte) (key, error) {
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return key{}, fmt.Errorf("key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("strowger ticket key id"), secret...))
	return key{keyID(sum[:keyIDSize]), aead}, nil
}

// find returns the key of an id.
func (k keys) find(id keyID) (key, bool) {
	for _, one := range k {
		if one.id == id {
			return one, true
		}
	}
	return key{}, false
}

func newSecret() []byte {
	secret := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(secret) // it never fails
	return secret
}

// loadKeys reads a key file, and makes one with a new key if there is none. An empty path means a key that nobody else
// has and that ends with the process.
func loadKeys(path string) (keys, error) {
	if path == "" {
		one, err := newKey(newSecret())
		return keys{one}, err
	}
	data, err := secretfile.Read(path, keyFileBytes, secretfile.Secret)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyFile(path); err == nil {
			data, err = secretfile.Read(path, keyFileBytes, secretfile.Secret)
		}
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	all, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// parseKeys reads keys of 32 bytes in base64, one a line. Empty lines and those that begin with # do not count.
func parseKeys(data []byte) (keys, error) {
	var all keys
	for n, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		secret, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil || len(secret) != chacha20poly1305.KeySize {
			return nil, fmt.Errorf("line %d is no key, which is %d bytes in base64", n+1, chacha20poly1305.KeySize)
		}
		one, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		if _, known := all.find(one.id); known {
			return nil, fmt.Errorf("line %d has the same key as an earlier one", n+1)
		}
		if all = append(all, one); len(all) > maxKeys {
			return nil, fmt.Errorf("it has more than %d keys", maxKeys)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it has no key")
	}
	return all, nil
}

// makeKeyFile makes a file with one key that only this user can read.
func makeKeyFile(path string) error {
	text := base64.StdEncoding.EncodeToString(newSecret()) + "\n"
	return replace(path, []byte(text))
}

// replace writes a file under another name and renames it, so that nobody sees a part of it. Only this user can read it.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new")
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
