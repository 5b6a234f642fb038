package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"

	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a key that signs, and its public half; of HS the two are the same.
type pair struct {
	alg             string
	private, public any
}

// pairs are made once, because RSA keys take long.
var pairs = sync.OnceValue(func() map[string]pair {
	all := map[string]pair{}
	for alg, size := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		secret := []byte(strings.Repeat(alg[2:3], size))
		all[alg] = pair{alg, secret, secret}
	}
	secret, err := rsa.GenerateKey(rand.Reader, leastRSA)
	if err != nil {
		panic(err)
	}
	for _, alg := range []string{"RS256", "RS384", "RS512"} {
		all[alg] = pair{alg, secret, &secret.PublicKey}
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		secret, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		all[alg] = pair{alg, secret, &secret.PublicKey}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	all["EdDSA"] = pair{"EdDSA", private, public}
	return all
})

// sign makes a JWT. Header has what is to be in the header besides alg.
func (p pair) sign(t testing.TB, claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(p.alg), jwt.MapClaims(claims))
	maps.Copy(token.Header, header)
	text, err := token.SignedString(p.private)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signText makes a JWT of a header and claims that are written as they are, with the key's own algorithm.
func (p pair) signText(t testing.TB, header, claims string) string {
	t.Helper()
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := jwt.GetSigningMethod(p.alg).Sign(text, p.private)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// publicPEM is the public half as a PEM file has it.
func (p pair) publicPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(p.public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (p pair) privatePEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// jwk is the public half as a JWK.
func (p pair) jwk(kid string) map[string]any {
	k := map[string]any{"kid": kid, "use": "sig", "alg": p.alg}
	switch public := p.public.(type) {
	case []byte:
		k["kty"], k["k"] = "oct", encode(public)
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", encode(public.N.Bytes()), encode([]byte{1, 0, 1})
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		half := len(point) / 2
		k["kty"], k["crv"] = "EC", public.Curve.Params().Name
		k["x"], k["y"] = encode(point[1:1+half]), encode(point[1+half:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", encode(public)
	}
	return k
}

func set(keys ...map[string]any) string {
	data, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// keyFile writes a file that nobody else can read and returns its path.
func keyFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// entry is the pair's public half as jwt.keys names it.
func (p pair) entry(t testing.TB) string {
	t.Helper()
	if secret, ok := p.public.([]byte); ok {
		return p.alg + " " + keyFile(t, string(secret))
	}
	return p.alg + " " + keyFile(t, p.publicPEM(t))
}

// moment0 is what the tests take for now.
var moment0 = time.Unix(1_800_000_000, 0)

// options are those of a verifier that accepts what claims() says.
func options(keys ...string) Options {
	return Options{
		Keys: keys, MaxBytes: 6 << 10, Leeway: 30 * time.Second, Now: func() time.Time { return moment0 },
		Claims: Claims{UserUUID: "sub", UserName: "preferred_username", Permissions: "permissions", Services: "services",
			DomainName: "domain_name", DomainUUID: "domain_uuid", Extensions: "extensions"},
		Bounds:   Bounds{Permissions: 100, Services: 16, Extensions: 100},
		Interval: time.Minute, FetchTimeout: 5 * time.Second, Keep: time.Hour, Wait: 5 * time.Second, Waiting: 2,
		SetBytes: 64 << 10, SetKeys: 16,
	}
}

// claims are those of a JWT that is good, changed by what a test gives.
func claims(change map[string]any) map[string]any {
	c := map[string]any{"sub": "user-1", "exp": moment0.Add(time.Minute).Unix()}
	for name, value := range change {
		if value == nil {
			delete(c, name)
			continue
		}
		c[name] = value
	}
	return c
}

func verifier(t testing.TB, o Options) *Verifier {
	t.Helper()
	v, err := New(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}
