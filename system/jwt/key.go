package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The sizes of RSA keys in bits. Larger ones take too long to check with.
const (
	leastRSA = 2048
	mostRSA  = 8192
)

// mostID bounds the name of a key, in bytes.
const mostID = 256

// algorithm is one way to sign.
type algorithm struct {
	method jwt.SigningMethod
	curve  elliptic.Curve // of ES
	least  int            // bytes of a secret, of HS
}

// algorithms are all that are accepted. There is no none.
var algorithms = map[string]algorithm{
	"HS256": {method: jwt.SigningMethodHS256, least: 32},
	"HS384": {method: jwt.SigningMethodHS384, least: 48},
	"HS512": {method: jwt.SigningMethodHS512, least: 64},
	"RS256": {method: jwt.SigningMethodRS256},
	"RS384": {method: jwt.SigningMethodRS384},
	"RS512": {method: jwt.SigningMethodRS512},
	"ES256": {method: jwt.SigningMethodES256, curve: elliptic.P256()},
	"ES384": {method: jwt.SigningMethodES384, curve: elliptic.P384()},
	"ES512": {method: jwt.SigningMethodES512, curve: elliptic.P521()},
	"EdDSA": {method: jwt.SigningMethodEdDSA},
}

// Algorithms returns the names of the algorithms that are accepted, sorted.
func Algorithms() []string {
	var names []string
	for name := range algorithms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// symmetric reports whether who can check a signature of the algorithm can also make one.
func symmetric(alg string) bool { return strings.HasPrefix(alg, "HS") }

// key checks signatures of one algorithm.
type key struct {
	id       string // "": it has no name
	alg      string
	method   jwt.SigningMethod
	material any    // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey, as the method takes it
	issuer   string // whose tokens it may sign; "": those of all issuers that are accepted
}

// newKey returns a key. The error says why the material is not for the algorithm.
func newKey(alg, id string, material any) (*key, error) {
	a, ok := algorithms[alg]
	if !ok {
		return nil, fmt.Errorf("algorithm %s is not one of %s", shown(alg), strings.Join(Algorithms(), ", "))
	}
	if len(id) > mostID {
		return nil, fmt.Errorf("kid has %d bytes, the most is %d", len(id), mostID)
	}
	var err error
	switch material := material.(type) {
	case []byte:
		err = a.fitsSecret(alg, material)
	case *rsa.PublicKey:
		err = fitsRSA(alg, material)
	case *ecdsa.PublicKey:
		if a.curve == nil || material.Curve != a.curve {
			err = fmt.Errorf("a key of the curve %s is not for %s", material.Curve.Params().Name, alg)
		}
	case ed25519.PublicKey:
		if alg != "EdDSA" || len(material) != ed25519.PublicKeySize {
			err = fmt.Errorf("an Ed25519 key is not for %s", alg)
		}
	default:
		err = fmt.Errorf("a key of type %T is not for JWTs", material)
	}
	if err != nil {
		return nil, err
	}
	return &key{id: id, alg: alg, method: a.method, material: material}, nil
}

func (a algorithm) fitsSecret(alg string, secret []byte) error {
	if a.least == 0 {
		return fmt.Errorf("a secret is not for %s", alg)
	}
	if len(secret) < a.least {
		return fmt.Errorf("the secret has %d bytes, %s needs %d or more", len(secret), alg, a.least)
	}
	return nil
}

func fitsRSA(alg string, public *rsa.PublicKey) error {
	bits := public.N.BitLen()
	switch {
	case !strings.HasPrefix(alg, "RS"):
		return fmt.Errorf("an RSA key is not for %s", alg)
	case bits < leastRSA || bits > mostRSA:
		return fmt.Errorf("an RSA key of %d bits is not accepted, want %d to %d", bits, leastRSA, mostRSA)
	case public.E < 3 || public.E%2 == 0:
		return errors.New("the exponent of the RSA key makes no sense")
	}
	return nil
}

// signed reports whether the signature of a text was made with the key.
func (k *key) signed(text string, signature []byte) bool {
	return k.method.Verify(text, signature, k.material) == nil
}
