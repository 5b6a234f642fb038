package config

import (
	"strings"
	"testing"
	"time"
)

func TestBounds(t *testing.T) {
	tests := []struct {
		name  string
		rule  rule
		value any
		want  string
	}{
		{"lowest", between(1, 5), 1, ""},
		{"highest", between(1, 5), 5, ""},
		{"below", between(1, 5), 0, "0 is too small, the smallest is 1"},
		{"above", between(1, 5), 6, "6 is too large, the largest is 5"},
		{"size below", between(KiB, MiB), Size(-1), "-1 is too small, the smallest is 1KiB"},
		{"size above", between(KiB, MiB), MiB + 1, "1048577 is too large, the largest is 1MiB"},
		{"negative duration", between(0, time.Minute), -time.Second, "-1s is too small, the smallest is 0s"},
		{"zero", zeroOr(between(time.Second, time.Minute)), time.Duration(0), ""},
		{"not zero and below", zeroOr(between(time.Second, time.Minute)), time.Millisecond, "1ms is too small, the smallest is 1s"},
		{"word", oneOf("a", "b"), "b", ""},
		{"other word", oneOf("a", "b"), "B", "B is not one of a, b"},
		{"directory", directory(), "/dev/shm", ""},
		{"no directory", directory(), "", ""},
		{"origins", origins(), []string{"*", "pbx.example.", "https://pbx.example:8443"}, ""},
		{"networks", networks(), []string{"127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8"}, ""},
		{"no network", networks(), []string{"nginx"}, "nginx is neither an IP address nor a network such as 10.0.0.0/8"},
		{"pages in files", origins(), []string{"file://", "null"}, ""},
		{"an application", origins(), []string{"capacitor://localhost"}, ""},
		{"an origin with a path", origins(), []string{"https://pbx.example/x"}, "https://pbx.example/x has more than scheme, host and port, write https://pbx.example"},
		{"an origin with a name not in ASCII", origins(), []string{"https://bücher.example"}, `"https://bücher.example" is not in ASCII, write the name as browsers send it, with xn--`},
		{"key files", keyFiles(), []string{"RS256 /etc/strowger/a b.pem", "EdDSA /k", "HS512 /k"}, ""},
		{"a key file without an algorithm", keyFiles(), []string{"/etc/strowger/a.pem"}, "/etc/strowger/a.pem is not an algorithm, a space and a path, such as RS256 /etc/strowger/issuer.pem"},
		{"a key file of algorithm none", keyFiles(), []string{"none /k"}, `"none /k" is not an algorithm, a space and a path, such as RS256 /etc/strowger/issuer.pem`},
		{"a relative key file", keyFiles(), []string{"RS256 a.pem"}, "RS256: a.pem is not an absolute path"},
		{"key sets", keySets(), []string{"https://a.example/jwks", "https://a.example/ https://a.example/jwks", "http://127.0.0.1:9/k", "http://[::1]/k", "http://localhost/k"}, ""},
		{"a key set without TLS", keySets(), []string{"http://a.example/k"}, "http://a.example/k is not https: whoever is on the way could send keys"},
		{"a key set in a file", keySets(), []string{"file:///etc/passwd"}, "file:///etc/passwd is not a URL, nor an issuer, a space and a URL"},
		{"a key set by FTP", keySets(), []string{"ftp://a.example/k"}, "ftp://a.example/k is not an https URL"},
		{"a key set with a password", keySets(), []string{"https://u:secret@a.example/k"}, "https://u:xxxxx@a.example/k has a user in it"},
		{"a key set of three words", keySets(), []string{"a b https://a.example/k"}, `"a b https://a.example/k" is not a URL, nor an issuer, a space and a URL`},
		{"relative directory", directory(), "tokens", "tokens is not an absolute path"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.rule.check(test.value)
			if test.want != "" {
				wantError(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	long := strings.Repeat("a.", 127) + "a"
	tests := []struct {
		rule        string
		check       func(text string) error
		good, wrong []string
	}{
		{"address", checkAddress,
			[]string{"127.0.0.1:8080", "localhost:0", ":80", "[::1]:65535", "[fe80::1%eth0]:1", "pbx.example.com:443", "a_b:1"},
			[]string{"", "8080", "127.0.0.1", "127.0.0.1:", "::1", "::1:80", "[::1]", "[::1:80", "a:b:1", "h:65536", "h:-1", "h:080",
				"h:http", "h:+1", "a b:1", "-a:1", "a..b:1", "[a]:1", "h:1 ", "http://h:1", long + ":1"}},
		{"origin", checkOrigin,
			[]string{"*", "localhost", "pbx.example.com", "127.0.0.1", "::1", "https://pbx.example.com", "ws://127.0.0.1", "https://h:8443",
				"http://[::1]:80", "HTTPS://PBX.example.com", "chrome-extension://abcdef"},
			[]string{"", "*.example.com", "https://*", "https://h/", "https://h/p", "https://h?q", "https://h#f", "https://u@h", "h:80",
				"https://", "https://h:99999", "//h", "a b", "mailto:x", "https://h:"}},
		{"owners", oneItem(owners()),
			[]string{"www-data", "root", "0", "1000", "user.name", "machine$", "_apt", "a@b"},
			[]string{"-x", "a b", "a:b", "4294967296", "-1", "1a", "a/b", "é"}},
		{"classes", oneItem(classes()),
			[]string{"a", "operator_panel_service", `Acme\Phone\x`, "A1"},
			[]string{"1a", "a-b", `\a`, `a\`, "a b", "a.php"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			for _, text := range test.good {
				if err := test.check(text); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
			for _, text := range test.wrong {
				if err := test.check(text); err == nil {
					t.Errorf("%q: no error", text)
				}
			}
		})
	}
}

// oneItem makes a check for texts of a rule for lists.
func oneItem(r rule) func(text string) error {
	return func(text string) error { return r.check([]string{text}) }
}

func TestEveryWrongItemIsNamed(t *testing.T) {
	err := classes().check([]string{"1", "good", "2"})
	wantError(t, err, "1 is not a PHP class name; 2 is not a PHP class name")
}
