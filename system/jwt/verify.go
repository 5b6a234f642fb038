package jwt

import (
	"fmt"
	"slices"
	"strings"
)

// mostTries bounds how many keys one JWT is tried with.
const mostTries = 8

// header is what counts of the header of a JWT.
type header struct{ alg, kid string }

// unchecked is a JWT whose signature has not been checked. Nothing that it says is to be believed yet.
type unchecked struct {
	header
	issuer    string // says which keys count
	text      string // that is signed
	signature []byte
}

// Verify returns what a JWT grants. Errors wrap one of the reasons of this package. It may wait for keys for as long as
// jwt.jwks_wait says.
func (v *Verifier) Verify(token string) (*Grant, error) {
	if v.Off() {
		return nil, ErrOff
	}
	if len(token) > v.o.MaxBytes {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrTooLong, len(token))
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: it has %d parts, want 3", ErrMalformed, len(parts))
	}
	h, err := parseHeader(parts[0])
	if err != nil {
		return nil, err
	}
	claims, err := parsePart(parts[1], "claims")
	if err != nil {
		return nil, err
	}
	signature, err := decode(parts[2])
	if err != nil || len(signature) == 0 {
		return nil, fmt.Errorf("%w: the signature is no base64url", ErrMalformed)
	}
	u := &unchecked{header: h, text: parts[0] + "." + parts[1], signature: signature}
	if u.issuer, err = claims.text("iss"); err != nil {
		return nil, badClaim("", "iss", "is no text")
	}
	k, err := v.signer(u)
	if err != nil {
		return nil, err
	}
	return v.grant(k, claims)
}

// parsePart reads one of the two parts that are JSON.
func parsePart(text, name string) (object, error) {
	data, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the part with the %s is no base64url", ErrMalformed, name)
	}
	o, err := parseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: the part with the %s %w", ErrMalformed, name, err)
	}
	return o, nil
}

// parseHeader reads the header. Parameters that bring or name keys, such as jwk and x5u, do not count.
func parseHeader(text string) (header, error) {
	o, err := parsePart(text, "header")
	if err != nil {
		return header{}, err
	}
	if _, there := o["crit"]; there {
		return header{}, fmt.Errorf("%w: crit", ErrHeader)
	}
	kind, err := o.text("typ")
	kind = strings.TrimPrefix(strings.ToLower(kind), "application/")
	if err != nil || kind != "" && kind != "jwt" && kind != "at+jwt" {
		return header{}, fmt.Errorf("%w: typ %s", ErrHeader, shown(kind))
	}
	h := header{}
	if h.alg, err = o.text("alg"); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if h.kid, err = o.text("kid"); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(h.kid) > mostID {
		return header{}, fmt.Errorf("%w: kid has %d bytes, the most is %d", ErrMalformed, len(h.kid), mostID)
	}
	if _, ok := algorithms[h.alg]; !ok {
		return header{}, fmt.Errorf("%w: %s", ErrAlgorithm, shown(h.alg))
	}
	return h, nil
}

// signer returns the key with which a JWT was signed. If there is none, and no key has the JWT's kid, it looks again each time
// that a set was fetched.
func (v *Verifier) signer(u *unchecked) (*key, error) {
	keys, _ := v.keys()
	k, known, err := find(keys, u)
	if err == nil || known || len(v.sources) == 0 {
		return k, err
	}
	awayErr := v.await(func() bool {
		keys, _ = v.keys()
		k, known, err = find(keys, u)
		return err == nil || known
	})
	if err == nil || known {
		return k, err
	}
	if _, all := v.keys(); awayErr == nil && !all {
		awayErr = &awayError{"they could not be fetched"}
	}
	if awayErr != nil {
		v.o.Counters.Away.Add(1)
		return nil, awayErr
	}
	return nil, err
}

// find returns the key of keys with which a JWT was signed, and whether one of them has its kid. A key that has it is the only
// one that counts. Otherwise those without a name count, and for a JWT without a kid all keys. Keys of other issuers never
// count, so that the set of one issuer cannot keep the JWTs of another one from being accepted.
func find(keys []*key, u *unchecked) (signer *key, known bool, err error) {
	var named, other []*key
	foreign := false
	for _, k := range keys {
		names := u.kid != "" && k.id == u.kid
		switch {
		case !names && k.id != "" && u.kid != "":
		case k.issuer != "" && k.issuer != u.issuer:
			foreign = true
		case names:
			named = append(named, k)
		default:
			other = append(other, k)
		}
	}
	fit := other
	if known = len(named) > 0; known {
		fit = named
	}
	switch {
	case len(fit) == 0 && foreign:
		return nil, false, fmt.Errorf("%w: %s", ErrIssuer, shown(u.issuer))
	case len(fit) == 0:
		return nil, false, fmt.Errorf("%w: kid %s", ErrUnknownKey, shown(u.kid))
	}
	fit = slices.DeleteFunc(fit, func(k *key) bool { return k.alg != u.alg })
	if len(fit) == 0 {
		return nil, known, fmt.Errorf("%w: %s, kid %s", ErrAlgorithm, u.alg, shown(u.kid))
	}
	if len(fit) > mostTries {
		return nil, known, fmt.Errorf("%w: more than %d keys fit; give them a kid", ErrUnknownKey, mostTries)
	}
	for _, k := range fit {
		if k.signed(u.text, u.signature) {
			return k, known, nil
		}
	}
	return nil, known, fmt.Errorf("%w: alg %s, kid %s", ErrSignature, u.alg, shown(u.kid))
}
