package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const testSecret = "0123456789abcdef-hidden"

func TestCluster(t *testing.T) {
	tests := map[string]struct {
		cluster Cluster
		want    []string // none when it is valid
	}{
		"loopback without a secret": {Cluster{Listen: "127.0.0.1:7001", Routes: []string{"127.0.0.1:7002", "nats-route://localhost:7003", "nats://[::1]:7004/"}}, nil},
		"loopback by name":          {Cluster{Listen: "localhost:7001"}, nil},
		"loopback by IPv6":          {Cluster{Listen: "[::1]:7001"}, nil},
		"secret":                    {Cluster{Listen: ":7001", Secret: testSecret}, nil},
		"secret in a file":          {Cluster{Listen: "10.0.0.1:7001", SecretFile: "/etc/secret"}, nil},
		"certificates":              {Cluster{Listen: "10.0.0.1:7001", TLSCertificate: "c", TLSKey: "k", TLSCA: "a"}, nil},
		"NATS":                      {Cluster{NATS: []string{"nats://bus:4222", "tls://bus:4222", "bus:4222"}, User: "u", PasswordFile: "f"}, nil},
		"NATS with a certificate":   {Cluster{NATS: []string{"bus:4222"}, TLSCertificate: "c", TLSKey: "k"}, nil},

		"nothing to tell nodes from others": {Cluster{Listen: ":7001"}, []string{
			"cluster.secret_file: is empty, and so is cluster.tls_certificate: other machines reach cluster.listen, so nodes must share a secret or show certificates"}},
		"a host name is no loopback": {Cluster{Listen: "node.example:7001"}, []string{
			"cluster.secret_file: is empty, and so is cluster.tls_certificate: other machines reach cluster.listen, so nodes must share a secret or show certificates"}},
		"both": {Cluster{Listen: "127.0.0.1:7001", NATS: []string{"bus:4222"}}, []string{
			"cluster.nats: is set, and so is cluster.listen: nodes meet at an external NATS or at each other, not both"}},
		"routes only": {Cluster{Routes: []string{"a:1"}}, []string{"cluster.listen: is empty, cluster.routes needs it"}},
		"secret only": {Cluster{Secret: testSecret}, []string{"cluster.listen: is empty, only nodes that listen share a secret"}},
		"two secrets": {Cluster{Listen: ":1", Secret: testSecret, SecretFile: "f"}, []string{
			"cluster.secret: is set, and so is cluster.secret_file: use one of them"}},
		"short secret":   {Cluster{Listen: ":1", Secret: "hidden"}, []string{"cluster.secret: has 6 characters, a secret has at least 16; openssl rand -hex 32 makes one"}},
		"long secret":    {Cluster{Listen: ":1", Secret: Secret(strings.Repeat("x", 257))}, []string{"cluster.secret: has 257 characters, a secret has at most 256"}},
		"secret of two":  {Cluster{Listen: ":1", Secret: "two words are hidden"}, []string{"cluster.secret: has characters other than printable ASCII without spaces"}},
		"no certificate": {Cluster{Listen: ":1", Secret: testSecret, TLSCA: "a"}, []string{"cluster.tls_certificate: is missing, nodes with cluster.tls_ca show each other certificates"}},
		"no key": {Cluster{NATS: []string{"bus:4222"}, TLSCertificate: "c"}, []string{
			"cluster.tls_key: is missing, cluster.tls_certificate needs it"}},
		"key only": {Cluster{NATS: []string{"bus:4222"}, TLSKey: "c"}, []string{"cluster.tls_certificate: is missing, cluster.tls_key needs it"}},
		"no authority": {Cluster{Listen: "127.0.0.1:1", TLSCertificate: "c", TLSKey: "k"}, []string{
			"cluster.tls_ca: is missing, nodes with certificates check those of others with it"}},
		"no password": {Cluster{NATS: []string{"bus:4222"}, User: "u"}, []string{"cluster.password_file: is missing, cluster.user needs it"}},
		"no user":     {Cluster{NATS: []string{"bus:4222"}, PasswordFile: "f"}, []string{"cluster.user: is missing, cluster.password_file needs it"}},
		"two ways to log in": {Cluster{NATS: []string{"bus:4222"}, User: "u", PasswordFile: "f", NKeyFile: "n"}, []string{
			"cluster.user: is set, and so is cluster.nkey_file: use one of them"}},
		"nobody to log in to":   {Cluster{Listen: "127.0.0.1:1", NKeyFile: "n"}, []string{"cluster.nats: is empty, cluster.nkey_file is for an external NATS"}},
		"a password in a URL":   {Cluster{NATS: []string{"nats://me:hidden@bus:4222"}}, []string{"cluster.nats: an item has a user or a password, which have keys of their own"}},
		"a secret in a route":   {Cluster{Listen: "127.0.0.1:1", Routes: []string{"x:hidden@a:1"}}, []string{"cluster.routes: an item has a user or a password, which have keys of their own"}},
		"another protocol":      {Cluster{NATS: []string{"http://bus:4222"}}, []string{"cluster.nats: http://bus:4222 begins with http://, write nats://host:port or host:port"}},
		"no port":               {Cluster{NATS: []string{"bus"}}, []string{"cluster.nats: bus is not host:port, write it like 127.0.0.1:8080 or [::1]:8080"}},
		"a route to any port":   {Cluster{Listen: "127.0.0.1:1", Routes: []string{"a:0"}}, []string{"cluster.routes: a:0 has no host and port to connect to"}},
		"a name with a dot":     {Cluster{Name: "a.b"}, []string{"cluster.name: a.b is not made of 1 to 64 letters, digits, - and _"}},
		"a long name of a node": {Cluster{Node: strings.Repeat("x", 65)}, []string{"cluster.node: " + strings.Repeat("x", 64) + "... is longer than 64 characters"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			defaults := cfg.Cluster
			cfg.Cluster = test.cluster
			if cfg.Cluster.Name == "" {
				cfg.Cluster.Name = defaults.Name
			}
			cfg.Cluster.QueueBytes, cfg.Cluster.InboundBytes, cfg.Cluster.PendingBytes = defaults.QueueBytes, defaults.InboundBytes, defaults.PendingBytes
			cfg.Cluster.Offered, cfg.Cluster.Watched = defaults.Offered, defaults.Watched
			cfg.Cluster.Visitors, cfg.Cluster.Wills, cfg.Cluster.SingletonWait = defaults.Visitors, defaults.Wills, defaults.SingletonWait
			got := []string{}
			if err := cfg.Validate(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if !slices.Equal(got, test.want) && len(got)+len(test.want) > 0 {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if strings.Contains(fmt.Sprint(got), "hidden") {
				t.Errorf("a secret shows: %q", got)
			}
		})
	}
}

func TestClusterURLs(t *testing.T) {
	c := Cluster{NATS: []string{"a:1", "tls://b:2", "nats://[::1]:3/"}, Routes: []string{"a:1", "nats-route://b:2", "nats://c:3"}}
	if got, want := c.NATSURLs(), []string{"nats://a:1", "tls://b:2", "nats://[::1]:3"}; !slices.Equal(got, want) {
		t.Errorf("servers are %q, want %q", got, want)
	}
	if got, want := c.RouteURLs(), []string{"nats-route://a:1", "nats-route://b:2", "nats://c:3"}; !slices.Equal(got, want) {
		t.Errorf("routes are %q, want %q", got, want)
	}
}

// A secret is read from every source, and no output has it.
func TestSecretOfTheClusterDoesNotShow(t *testing.T) {
	cfg, err := Load(Options{Environ: []string{"STROWGER_CLUSTER__LISTEN=:7001", "STROWGER_CLUSTER__SECRET=" + testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	if string(cfg.Cluster.Secret) != testSecret {
		t.Errorf("the secret is %q", string(cfg.Cluster.Secret))
	}
	var out bytes.Buffer
	if err := Show(&out, cfg); err != nil {
		t.Fatal(err)
	}
	shown := out.String()
	if !strings.Contains(shown, `  #secret: "[redacted]"  # STROWGER_CLUSTER__SECRET`) {
		t.Errorf("the secret is not redacted:\n%s", shown)
	}
	if err := Write(&out, cfg); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&out, cfg.Chosen(), cfg, *cfg)

	other := *cfg
	other.Cluster.Secret = testSecret + "2"
	changes := Diff(cfg, &other)
	if len(changes) != 1 || changes[0].Key != "cluster.secret" || changes[0].Reloadable {
		t.Errorf("changes are %v", changes)
	}
	fmt.Fprint(&out, changes)
	if strings.Contains(out.String(), testSecret) {
		t.Errorf("the secret shows in:\n%s", out.String())
	}
	if _, err := Load(Options{Environ: []string{"STROWGER_CLUSTER__LISTEN=:7001", "STROWGER_CLUSTER__SECRET=[redacted]"}}); err == nil {
		t.Error("what is shown in place of a secret is taken for one")
	}
}
