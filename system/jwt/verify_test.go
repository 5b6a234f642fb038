package jwt

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

// refused fails unless a JWT is refused for a reason.
func refused(t *testing.T, v *Verifier, token string, why *Error) {
	t.Helper()
	g, err := v.Verify(token)
	if g != nil || !errors.Is(err, why) {
		t.Errorf("got %v, %v; want %v", g, err, why)
	}
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range Algorithms() {
		t.Run(alg, func(t *testing.T) {
			p := pairs()[alg]
			for form, entry := range map[string]string{"PEM or secret": p.entry(t), "JWK": alg + " " + keyFile(t, jwkText(t, p.jwk("a")))} {
				v := verifier(t, options(entry))
				if g, err := v.Verify(p.sign(t, claims(nil), nil)); err != nil || g.Subject != "user-1" {
					t.Errorf("%s: %v, %v", form, g, err)
				}
				token := p.sign(t, claims(nil), nil)
				parts := strings.Split(token, ".")
				other := strings.Split(p.sign(t, claims(map[string]any{"sub": "other"}), nil), ".")
				refused(t, v, parts[0]+"."+other[1]+"."+parts[2], ErrSignature)
			}
		})
	}
	if len(Algorithms()) != len(pairs()) {
		t.Errorf("%d algorithms, %d are tested", len(Algorithms()), len(pairs()))
	}
}

func jwkText(t *testing.T, k map[string]any) string {
	t.Helper()
	data, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A JWT is not good with a key of another algorithm, whatever its header says: not without a signature, and not with a public
// key taken for a secret.
func TestAlgorithmIsTheKeys(t *testing.T) {
	rs, hs := pairs()["RS256"], pairs()["HS256"]
	good, err := json.Marshal(claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, options(rs.entry(t)))
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256x", "hs256", "PS256", "RS1", "ES256K", "dir"} {
		for _, signature := range []string{"", encode([]byte("x")), strings.Split(rs.sign(t, claims(nil), nil), ".")[2]} {
			header := `{"alg":` + string(must(json.Marshal(alg))) + `,"typ":"JWT"}`
			token := encode([]byte(header)) + "." + encode(good) + "." + signature
			if g, err := v.Verify(token); err == nil {
				t.Errorf("alg %q, signature %q: accepted as %v", alg, signature, g)
			}
		}
	}
	// The classic confusion: HMAC with the bytes of the public key.
	for _, secret := range []string{rs.publicPEM(t), strings.TrimSpace(rs.publicPEM(t))} {
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			refused(t, v, pair{alg: alg, private: []byte(secret)}.sign(t, claims(nil), nil), ErrAlgorithm)
		}
	}
	refused(t, verifier(t, options(hs.entry(t))), rs.sign(t, claims(nil), nil), ErrAlgorithm)
	refused(t, v, pair{alg: "RS512", private: rs.private}.sign(t, claims(nil), nil), ErrAlgorithm)
	if _, err := New(options("HS256 "+keyFile(t, rs.publicPEM(t))), nil); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("a public key as a secret: %v", err)
	}
	// Both kinds of keys: each takes its own only.
	both := verifier(t, options(rs.entry(t), hs.entry(t)))
	refused(t, both, pair{alg: "HS256", private: []byte(rs.publicPEM(t))}.sign(t, claims(nil), nil), ErrSignature)
	for _, p := range []pair{rs, hs} {
		if _, err := both.Verify(p.sign(t, claims(nil), nil)); err != nil {
			t.Error(err)
		}
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// A kid only tells keys apart. Neither it nor what else a header has brings or names a key.
func TestKidTricks(t *testing.T) {
	p, mine := pairs()["ES256"], pairs()["EdDSA"]
	v := verifier(t, options("ES256 "+keyFile(t, jwkText(t, p.jwk("a")))))
	for _, kid := range []string{"b", "../../../../dev/null", "/etc/passwd", "https://evil.example/keys", "file:///dev/null", "a\x00", "A", "' OR 1=1 --", strings.Repeat("x", mostID)} {
		refused(t, v, p.sign(t, claims(nil), map[string]any{"kid": kid}), ErrUnknownKey)
	}
	refused(t, v, p.sign(t, claims(nil), map[string]any{"kid": strings.Repeat("x", mostID+1)}), ErrMalformed)
	for _, kid := range []any{1, true, []string{"a"}, map[string]any{"a": 1}} {
		refused(t, v, p.sign(t, claims(nil), map[string]any{"kid": kid}), ErrMalformed)
	}
	if _, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "a"})); err != nil {
		t.Error(err)
	}
	// The header brings a key of the attacker's.
	for _, header := range []map[string]any{
		{"jwk": mine.jwk("a")}, {"jwk": mine.jwk("a"), "kid": "a"}, {"jku": "https://evil.example/keys"},
		{"x5u": "https://evil.example/cert"}, {"x5c": []string{"MII"}},
	} {
		if _, err := v.Verify(mine.sign(t, claims(nil), header)); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%v: %v", header, err)
		}
	}
	refused(t, v, p.sign(t, claims(nil), map[string]any{"kid": "a", "crit": []string{"b64"}, "b64": false}), ErrHeader)
	refused(t, v, p.sign(t, claims(nil), map[string]any{"kid": "a", "typ": "logout+jwt"}), ErrHeader)
	for _, kind := range []string{"JWT", "jwt", "at+jwt", "application/at+jwt"} {
		if _, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "a", "typ": kind})); err != nil {
			t.Errorf("typ %s: %v", kind, err)
		}
	}
}

// A key that is not named by its kid is found by its algorithm, as PEM files have no names.
func TestKeysWithoutNames(t *testing.T) {
	p := pairs()["ES256"]
	v := verifier(t, options(p.entry(t)))
	if _, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "any"})); err != nil {
		t.Error(err)
	}
	var many []string
	for range mostTries + 1 {
		many = append(many, p.entry(t))
	}
	refused(t, verifier(t, options(many...)), p.sign(t, claims(nil), nil), ErrUnknownKey)
}

// What two readers could understand in two ways is refused, however well it is signed.
func TestWhatIsMalformed(t *testing.T) {
	p := pairs()["HS256"]
	v := verifier(t, options(p.entry(t)))
	const good = `{"sub":"u","exp":1800000060}`
	const header = `{"alg":"HS256"}`
	if _, err := v.Verify(p.signText(t, header, good)); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"a claim twice":                 p.signText(t, header, `{"sub":"u","exp":1,"exp":1800000060}`),
		"a claim twice, escaped":        p.signText(t, header, `{"sub":"u","s\u0075b":"admin","exp":1800000060}`),
		"a claim twice, within another": p.signText(t, header, `{"sub":"u","exp":1800000060,"a":[{"b":1,"b":2}]}`),
		"alg twice":                     p.signText(t, `{"alg":"none","alg":"HS256"}`, good),
		"kid twice":                     p.signText(t, `{"alg":"HS256","kid":"a","kid":"b"}`, good),
		"something behind":              p.signText(t, header, good+` {}`),
		"not UTF-8":                     p.signText(t, header, "{\"sub\":\"\xff\",\"exp\":1800000060}"),
		"a list":                        p.signText(t, header, `[`+good+`]`),
		"half":                          p.signText(t, header, good[:10]),
		"nothing":                       p.signText(t, header, ``),
		"too deep":                      p.signText(t, header, `{"sub":"u","exp":1800000060,"a":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`}`),
		"header is a list":              p.signText(t, `["HS256"]`, good),
		"alg is a list":                 p.signText(t, `{"alg":["HS256"]}`, good),
		"empty":                         "",
		"dots":                          "..",
		"two parts":                     strings.Join(strings.Split(p.signText(t, header, good), ".")[:2], "."),
		"four parts":                    p.signText(t, header, good) + ".x",
		"five parts, as JWE has":        "a.b.c.d.e",
		"padding":                       p.signText(t, header, good) + "=",
		"a line end":                    p.signText(t, header, good) + "\n",
		"standard base64":               strings.Replace(p.signText(t, header, good), "eyJ", "+/J", 1),
		"no signature":                  strings.TrimSuffix(p.signText(t, header, good), p.signText(t, header, good)[strings.LastIndex(p.signText(t, header, good), ".")+1:]),
	} {
		t.Run(name, func(t *testing.T) { refused(t, v, token, ErrMalformed) })
	}
	// Bits that a lax decoder ignores make another text of the same signature.
	token := p.signText(t, header, good)
	last := strings.IndexByte(base64Letters, token[len(token)-1])
	refused(t, v, token[:len(token)-1]+string(base64Letters[last^1]), ErrMalformed)
	// Names of claims count as they are spelled.
	refused(t, v, p.signText(t, header, `{"sub":"u","EXP":1800000060}`), ErrClaim)
	refused(t, v, p.signText(t, `{"Alg":"HS256"}`, good), ErrAlgorithm)
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestLength(t *testing.T) {
	p := pairs()["HS256"]
	o := options(p.entry(t))
	token := p.sign(t, claims(map[string]any{"x": strings.Repeat("x", 1000)}), nil)
	o.MaxBytes = len(token)
	if _, err := verifier(t, o).Verify(token); err != nil {
		t.Error(err)
	}
	o.MaxBytes--
	refused(t, verifier(t, o), token, ErrTooLong)
	refused(t, verifier(t, o), strings.Repeat("x", 64<<20), ErrTooLong)
}

func TestTimes(t *testing.T) {
	p := pairs()["HS256"]
	v := verifier(t, options(p.entry(t)))
	now := moment0.Unix()
	for name, test := range map[string]struct {
		change map[string]any
		why    *Error // nil: it is good
	}{
		"no exp":                   {map[string]any{"exp": nil}, ErrClaim},
		"exp is null":              {map[string]any{"exp": json.RawMessage("null")}, ErrClaim},
		"exp is a text":            {map[string]any{"exp": "1800000060"}, ErrClaim},
		"exp is negative":          {map[string]any{"exp": -1}, ErrClaim},
		"exp is huge":              {map[string]any{"exp": json.Number("1e300")}, ErrClaim},
		"exp is no float":          {map[string]any{"exp": json.Number("1e999")}, ErrClaim},
		"exp wraps around int64":   {map[string]any{"exp": json.Number("18446744073709551615")}, ErrClaim},
		"exp is the last":          {map[string]any{"exp": int64(lastMoment)}, nil},
		"exp is over":              {map[string]any{"exp": now - 31}, ErrExpired},
		"exp is over by leeway":    {map[string]any{"exp": now - 30}, ErrExpired},
		"exp is within leeway":     {map[string]any{"exp": now - 29}, nil},
		"exp has a part":           {map[string]any{"exp": float64(now) - 29.5}, nil},
		"nbf is to come":           {map[string]any{"nbf": now + 31}, ErrNotYet},
		"nbf is within leeway":     {map[string]any{"nbf": now + 30}, nil},
		"nbf is a list":            {map[string]any{"nbf": []int{1}}, ErrClaim},
		"iat is to come":           {map[string]any{"iat": now + 31}, ErrNotYet},
		"iat is within leeway":     {map[string]any{"iat": now + 30}, nil},
		"iat is long ago":          {map[string]any{"iat": 0}, nil},
		"nbf is after exp but now": {map[string]any{"nbf": now + 20, "exp": now + 10}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			token := p.sign(t, claims(test.change), nil)
			if test.why != nil {
				refused(t, v, token, test.why)
			} else if _, err := v.Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
	g, err := v.Verify(p.sign(t, claims(nil), nil))
	if want := moment0.Add(90 * time.Second); err != nil || !g.ExpiresAt.Equal(want) {
		t.Errorf("%v, %v: want the leeway added: %v", g, err, want)
	}
}

// The library, which has rules of its own for times, agrees on every JWT.
func TestTimesAgree(t *testing.T) {
	p := pairs()["HS256"]
	entry := p.entry(t)
	rapid.Check(t, func(t *rapid.T) {
		o := options(entry)
		o.Leeway = time.Duration(rapid.IntRange(0, 300).Draw(t, "leeway")) * time.Second
		v, err := New(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		change := map[string]any{"exp": moment0.Unix() + rapid.Int64Range(-400, 400).Draw(t, "exp")}
		for _, name := range []string{"nbf", "iat"} {
			if rapid.Bool().Draw(t, "has "+name) {
				change[name] = moment0.Unix() + rapid.Int64Range(-400, 400).Draw(t, name)
			}
		}
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims(change)))
		text, err := token.SignedString(p.private)
		if err != nil {
			t.Fatal(err)
		}
		_, ours := v.Verify(text)
		_, theirs := jwt.NewParser(jwt.WithLeeway(o.Leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(o.Now)).
			Parse(text, func(*jwt.Token) (any, error) { return p.public, nil })
		if (ours == nil) != (theirs == nil) {
			t.Errorf("leeway %v, %v: %v and %v", o.Leeway, change, ours, theirs)
		}
	})
}

func TestIssuerAndAudience(t *testing.T) {
	p := pairs()["HS256"]
	for name, test := range map[string]struct {
		issuers, audiences []string
		change             map[string]any
		why                *Error
	}{
		"nothing asked":           {change: map[string]any{}},
		"any issuer":              {change: map[string]any{"iss": "x"}},
		"issuer is a number":      {change: map[string]any{"iss": 1}, why: ErrClaim},
		"the issuer":              {issuers: []string{"a", "b"}, change: map[string]any{"iss": "b"}},
		"another issuer":          {issuers: []string{"a"}, change: map[string]any{"iss": "A"}, why: ErrIssuer},
		"no issuer":               {issuers: []string{"a"}, why: ErrIssuer},
		"for somebody else":       {change: map[string]any{"aud": "x"}, why: ErrAudience},
		"the audience":            {audiences: []string{"me"}, change: map[string]any{"aud": "me"}},
		"one of the audiences":    {audiences: []string{"me"}, change: map[string]any{"aud": []string{"x", "me"}}},
		"another audience":        {audiences: []string{"me"}, change: map[string]any{"aud": []string{"x"}}, why: ErrAudience},
		"no audience":             {audiences: []string{"me"}, why: ErrAudience},
		"an empty audience":       {audiences: []string{"me"}, change: map[string]any{"aud": []string{}}, why: ErrAudience},
		"an audience of a number": {audiences: []string{"1"}, change: map[string]any{"aud": []int{1}}, why: ErrAudience},
		"null for an audience":    {change: map[string]any{"aud": json.RawMessage("null")}, why: ErrAudience},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(p.entry(t))
			o.Issuers, o.Audiences = test.issuers, test.audiences
			token := p.sign(t, claims(test.change), nil)
			if test.why != nil {
				refused(t, verifier(t, o), token, test.why)
			} else if _, err := verifier(t, o).Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClaimsToGrant(t *testing.T) {
	p := pairs()["HS256"]
	o := options(p.entry(t))
	o.Claims = Claims{UserUUID: "sub", UserName: "profile.name", Permissions: "realm_access.roles", Services: "https://example.com/services",
		DomainName: "tenant", DomainUUID: "tenant_id", Extensions: "ext", AllPermissions: []string{"basic"}, AllServices: []string{"news"}}
	v := verifier(t, o)
	g, err := v.Verify(p.sign(t, claims(map[string]any{
		"profile": map[string]any{"name": "Ada"}, "realm_access": map[string]any{"roles": []string{"b", "a", "b"}},
		"https://example.com/services": "weather news weather", "tenant": "a.example.com", "tenant_id": "1", "ext": []string{"1001@a.example.com"},
		"service": "weather",
	}), nil))
	want := &Grant{Subject: "user-1", ExpiresAt: g.ExpiresAt, Permissions: []string{"a", "b", "basic"}, Services: []string{"weather", "news"},
		Extensions: []string{"1001@a.example.com"}, UserUUID: "user-1", UserName: "Ada", DomainName: "a.example.com", DomainUUID: "1"}
	if err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("got %+v, %v\nwant %+v", g, err, want)
	}
	// A claim of the whole name counts before one that a dot leads to.
	g, err = v.Verify(p.sign(t, claims(map[string]any{"profile.name": "Whole", "profile": map[string]any{"name": "Part"}}), nil))
	if err != nil || g.UserName != "Whole" {
		t.Errorf("%+v, %v", g, err)
	}
	for name, change := range map[string]map[string]any{
		"no sub": {"sub": nil}, "an empty sub": {"sub": ""}, "sub is a number": {"sub": 1},
		"tenant is a number": {"tenant": 1}, "a permission is a number": {"realm_access": map[string]any{"roles": []any{"a", 1}}},
		"an empty permission": {"realm_access": map[string]any{"roles": []any{""}}}, "permissions are an object": {"realm_access": map[string]any{"roles": map[string]any{"a": true}}},
		"too many services": {"https://example.com/services": slices.Repeat([]string{"x"}, 17)},
	} {
		t.Run(name, func(t *testing.T) { refused(t, v, p.sign(t, claims(change), nil), ErrClaim) })
	}
}

// No JWT makes its holder a service unless the settings name the claim that does.
func TestService(t *testing.T) {
	p := pairs()["HS256"]
	o := options(p.entry(t))
	token := p.sign(t, claims(map[string]any{"service": "weather", "class": "weather_service", "service_name": "weather"}), nil)
	if g, err := verifier(t, o).Verify(token); err != nil || g.ServiceName != "" || g.ServiceClass != "" {
		t.Errorf("%+v, %v: want a client", g, err)
	}
	o.Claims.ServiceName, o.Claims.ServiceClass = "service", "class"
	o.Claims.AllPermissions, o.Claims.AllServices = []string{"basic"}, []string{"news"}
	g, err := verifier(t, o).Verify(token)
	if err != nil || g.ServiceName != "weather" || g.ServiceClass != "weather_service" || len(g.Permissions)+len(g.Services) != 0 {
		t.Errorf("%+v, %v: want a service without what all clients get", g, err)
	}
}

func TestOff(t *testing.T) { refused(t, verifier(t, options()), "x", ErrOff) }

// Every refusal but that of a claim of a fixed name says which setting decides, if one does.
func TestSettingOfRefusal(t *testing.T) {
	p := pairs()["HS256"]
	o := options(p.entry(t))
	_, err := verifier(t, o).Verify(p.sign(t, claims(map[string]any{"services": 1}), nil))
	var s interface {
		error
		Setting() string
	}
	if !errors.As(err, &s) || s.Setting() != "jwt.services_claim" {
		t.Errorf("%v: %v", err, s)
	}
	_, err = verifier(t, o).Verify(p.sign(t, claims(map[string]any{"services": slices.Repeat([]string{"x"}, 17)}), nil))
	if !errors.As(err, &s) || s.Setting() != "tokens.max_services" {
		t.Errorf("%v: %v", err, s)
	}
}

// Whatever comes in, only what the key has signed is accepted.
func FuzzVerify(f *testing.F) {
	p := pairs()["HS256"]
	v, err := New(options(p.entry(f)), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(v.Close)
	good := p.sign(f, claims(nil), nil)
	f.Add(good)
	f.Add(good + ".")
	f.Add(encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(`{"sub":"u","exp":1800000060}`)) + ".")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		g, err := v.Verify(token)
		if (g == nil) == (err == nil) {
			t.Fatalf("%v and %v", g, err)
		}
		if err != nil {
			return
		}
		// The library must have found it good, too.
		if _, err := jwt.NewParser(jwt.WithTimeFunc(func() time.Time { return moment0 }), jwt.WithLeeway(30*time.Second)).
			Parse(token, func(*jwt.Token) (any, error) { return p.public, nil }); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
	})
}
