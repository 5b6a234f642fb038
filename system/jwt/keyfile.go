package jwt

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"strowger/system/internal/secretfile"
)

// mostKeyFile bounds a file with a key, in bytes.
const mostKeyFile = 64 << 10

// CheckKeyFile reads a file as jwt.keys names it, an algorithm, a space and a path, and returns why a router that
// runs as the user uid cannot use it.
func CheckKeyFile(entry string, uid int) error {
	_, err := readKeyFileAs(entry, uid)
	return err
}

// CheckSet fetches the set of an entry of jwt.jwks, and returns how many of its keys can be used.
func CheckSet(ctx context.Context, entry string, o Options) (keys int, err error) {
	o.complete()
	list, err := newSource(entry, &o).fetch(ctx)
	return len(list), err
}

// readKeyFile returns the key of an entry of jwt.keys.
func readKeyFile(entry string) (*key, error) { return readKeyFileAs(entry, os.Geteuid()) }

// readKeyFileAs is readKeyFile with the eyes of another user.
func readKeyFileAs(entry string, uid int) (*key, error) {
	alg, path, _ := strings.Cut(entry, " ")
	path = strings.TrimSpace(path)
	kind := secretfile.Public
	if symmetric(alg) {
		kind = secretfile.Secret
	}
	data, err := secretfile.ReadAs(path, mostKeyFile, kind, uid)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	k, err := parseKeyFile(alg, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// parseKeyFile reads a JWK, a PEM file, or a secret as it is.
func parseKeyFile(alg string, data []byte) (*key, error) {
	trimmed := bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(trimmed, []byte("{")):
		o, err := parseObject(trimmed)
		if err != nil {
			return nil, err
		}
		return parseJWK(o, alg)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		if symmetric(alg) {
			// Whoever knows a public key could sign with it.
			return nil, fmt.Errorf("holds a PEM block, which is no secret for %s", alg)
		}
		public, err := parsePEM(data)
		if err != nil {
			return nil, err
		}
		return newKey(alg, "", public)
	case symmetric(alg):
		return newKey(alg, "", bytes.TrimRight(data, "\r\n"))
	}
	return nil, errors.New("holds neither a PEM block nor a JWK")
}

// parsePEM returns the public key in the first block.
func parsePEM(data []byte) (any, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("holds a PEM block that is damaged")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes) //nolint:wrapcheck // the caller names the file
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes) //nolint:wrapcheck // as above
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err //nolint:wrapcheck // as above
		}
		return certificate.PublicKey, nil
	}
	if strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, errors.New("holds a private key; give the router the public one (openssl pkey -in FILE -pubout)")
	}
	return nil, fmt.Errorf("holds a PEM block of type %s, want PUBLIC KEY or CERTIFICATE", shown(block.Type))
}
