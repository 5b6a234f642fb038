package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"strowger/system/internal/secretfile"
)

// Mint returns a JWT with the claims, signed by the private key or the secret in a file. Entry is an algorithm, a space and
// the path, as in jwt.keys; kid may be empty. The file must be one that nobody else can read.
func Mint(entry, kid string, claims map[string]any) (string, error) {
	alg, path, _ := strings.Cut(entry, " ")
	a, ok := algorithms[alg]
	if !ok {
		return "", fmt.Errorf("algorithm %s is not one of %s", shown(alg), strings.Join(Algorithms(), ", "))
	}
	data, err := secretfile.Read(path, mostKeyFile, secretfile.Secret)
	if err != nil {
		return "", err //nolint:wrapcheck // it names the file
	}
	var private any
	if symmetric(alg) {
		k, err := parseKeyFile(alg, data)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		private = k.material
	} else if private, err = parsePrivate(alg, data); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	t := jwt.NewWithClaims(a.method, jwt.MapClaims(claims))
	if kid != "" {
		t.Header["kid"] = kid
	}
	return t.SignedString(private) //nolint:wrapcheck // it says what failed
}

// parsePrivate reads a private key in PEM that fits an algorithm.
func parsePrivate(alg string, data []byte) (any, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("holds no PEM block")
	}
	var private any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		err = fmt.Errorf("holds a PEM block of type %s, want PRIVATE KEY", shown(block.Type))
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller names the file
	}
	public, err := publicOf(private)
	if err != nil {
		return nil, err
	}
	_, err = newKey(alg, "", public)
	return private, err
}

func publicOf(private any) (crypto.PublicKey, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		return &private.PublicKey, nil
	case *ecdsa.PrivateKey:
		return &private.PublicKey, nil
	case ed25519.PrivateKey:
		return private.Public(), nil
	}
	return nil, fmt.Errorf("a key of type %T is not for JWTs", private)
}
