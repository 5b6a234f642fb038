package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// curves are those of JWKs by their names, with the algorithm that each is for.
var curves = map[string]struct {
	curve elliptic.Curve
	alg   string
}{
	"P-256": {elliptic.P256(), "ES256"},
	"P-384": {elliptic.P384(), "ES384"},
	"P-521": {elliptic.P521(), "ES512"},
}

var errOtherUse = errors.New("is not for checking signatures")

// parseJWK reads a key. Alg is the algorithm that it must be for; if it is empty, the key says which, and an RSA key that
// does not is for RS256.
func parseJWK(o object, alg string) (*key, error) {
	if err := checkUse(o); err != nil {
		return nil, err
	}
	own, err := o.text("alg")
	if err != nil {
		return nil, err
	}
	if own != "" && alg != "" && own != alg {
		return nil, fmt.Errorf("is for %s, want %s", shown(own), alg)
	}
	id, err := o.text("kid")
	if err != nil {
		return nil, err
	}
	material, usual, err := parseMaterial(o)
	if err != nil {
		return nil, err
	}
	if alg == "" {
		alg = own
	}
	if alg == "" {
		alg = usual
	}
	return newKey(alg, id, material)
}

// checkUse returns an error unless the key may check signatures and holds no private part.
func checkUse(o object) error {
	use, err := o.text("use")
	if err != nil {
		return err
	}
	if use != "" && use != "sig" {
		return errOtherUse
	}
	if ops, there := o["key_ops"]; there {
		list, ok := ops.([]any)
		if !ok || !slices.Contains(list, any("verify")) {
			return errOtherUse
		}
	}
	if _, private := o["d"]; private {
		return errors.New("is a private key; give the router the public one")
	}
	return nil
}

// parseMaterial returns what signatures are checked with, and the algorithm that such a key is for where nothing says it.
func parseMaterial(o object) (material any, usual string, err error) {
	kind, err := o.text("kty")
	if err != nil {
		return nil, "", err
	}
	switch kind {
	case "RSA":
		material, err = parseRSA(o)
		return material, "RS256", err
	case "EC":
		return parseEC(o)
	case "OKP":
		curve, err := o.text("crv")
		if err != nil || curve != "Ed25519" {
			return nil, "", errors.New("has a curve other than Ed25519")
		}
		x, err := o.bytes("x")
		return ed25519.PublicKey(x), "EdDSA", err
	case "oct":
		secret, err := o.bytes("k")
		return secret, "", err
	}
	return nil, "", fmt.Errorf("is of a kind that is not supported: %s", shown(kind))
}

func parseRSA(o object) (*rsa.PublicKey, error) {
	n, err := o.bytes("n")
	if err != nil {
		return nil, err
	}
	e, err := o.bytes("e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("has an exponent that is too large")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func parseEC(o object) (*ecdsa.PublicKey, string, error) {
	name, err := o.text("crv")
	if err != nil {
		return nil, "", err
	}
	c, ok := curves[name]
	if !ok {
		return nil, "", fmt.Errorf("has a curve that is not supported: %s", shown(name))
	}
	x, err := o.bytes("x")
	if err != nil {
		return nil, "", err
	}
	y, err := o.bytes("y")
	if err != nil {
		return nil, "", err
	}
	size := (c.curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, "", errors.New("has a point of another size than its curve")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(c.curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, "", errors.New("has a point that is not on its curve")
	}
	return public, c.alg, nil
}

// parseSet reads a JWK Set with at most most keys. Those that cannot be used are left out, each with a reason. A set without
// a key that can be used is an error. Secrets have no place in a set that is fetched.
func parseSet(data []byte, most int) (keys []*key, skipped []error, err error) {
	set, err := parseObject(data)
	if err != nil {
		return nil, nil, err
	}
	list, ok := set["keys"].([]any)
	if !ok {
		return nil, nil, errors.New("is no JWK Set: keys is no list")
	}
	if len(list) > most {
		return nil, nil, fmt.Errorf("has %d keys, jwt.jwks_keys allows %d", len(list), most)
	}
	for i, item := range list {
		o, ok := item.(object)
		if !ok {
			skipped = append(skipped, fmt.Errorf("key %d is no object", i+1))
			continue
		}
		k, err := parseJWK(o, "")
		if err == nil && symmetric(k.alg) {
			err = errors.New("is a secret")
		}
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d %w", i+1, err))
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, nil, errors.Join(append([]error{errors.New("has no key that can be used")}, skipped...)...)
	}
	return keys, skipped, nil
}
