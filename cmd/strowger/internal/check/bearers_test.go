package check

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/system/apikey"
)

func TestBearers(t *testing.T) {
	b := newBench(t, alone(t), "")
	f := b.check()
	for _, name := range []Name{JWTKeys, JWTSets, APIKeysFile} {
		f.without(name) // nothing is set
	}
	secret := b.write("secret", strings.Repeat("s", 32))
	b.o.Config.JWT.Keys = []string{"HS256 /secret"}
	b.check().want(JWTKeys, Error, "jwt.keys", "mode 0644", "docs/tokens.md")
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	b.check().want(JWTKeys, OK, "HS256")
	b.o.Config.JWT.Keys = []string{"HS512 /secret"}
	b.check().want(JWTKeys, Error, "32 bytes, HS512 needs 64")
	b.o.Config.JWT.Keys = []string{"RS256 /none"}
	b.check().want(JWTKeys, Error, "no such file")

	answer := `{"keys":[]}`
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
	defer issuer.Close()
	b.o.Config.JWT.Sets = []string{"https://me " + issuer.URL}
	b.check().want(JWTSets, Error, issuer.URL, "no key that can be used", "curl -i "+issuer.URL)
	answer = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	b.check().want(JWTSets, OK, "1 keys")

	path := filepath.Join(b.root, "apikeys")
	if _, _, err := apikey.Add(path, apikey.Spec{Services: []string{"a"}}, time.Now(), 10); err != nil {
		t.Fatal(err)
	}
	b.o.Config.APIKeys.File = "/apikeys"
	b.check().want(APIKeysFile, OK, "1 API keys")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	b.check().want(APIKeysFile, Error, "mode 0640", "chmod 600 /apikeys")
}

// A file of root's is none that another user's router can read.
func TestBearersOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can look as another user")
	}
	b := newBench(t, alone(t), conf)
	b.withSystemd("Id=websockets.service\nLoadState=loaded\nActiveState=inactive\nExecStart={ path=/usr/local/bin/strowger ; argv[]=/usr/local/bin/strowger serve --fusionpbx ; }\nUser=65534\n")
	if err := os.Chmod(b.write("secret", strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	b.o.Config.JWT.Keys = []string{"HS256 /secret"}
	b.check().want(JWTKeys, Error, "belongs to root", "user 65534 cannot read it")
	if err := os.Chown(filepath.Join(b.root, "secret"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	b.check().want(JWTKeys, OK)
}
