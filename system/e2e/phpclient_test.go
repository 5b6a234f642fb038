package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strowger/system/token"
)

// phpClient copies the client for PHP to a directory.
func phpClient(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "clients", "php", "strowger.php"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "strowger.php"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestClientsPHPByHTTP runs the program of docs/clients.md that asks once.
func TestClientsPHPByHTTP(t *testing.T) {
	t.Parallel()
	php := lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	g := guide(t)
	phpClient(t, g.dir)
	file := g.save("http.php", g.snippet("php", "// http.php"))
	var made pageToken
	if err := json.Unmarshal([]byte(shell(t, g.dir, g.token)), &made); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), php, file, made.Name, made.Hash).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"time"`) {
		t.Errorf("%s: %v", out, err)
	}
}

// TestPHPClient asks, publishes and is refused.
func TestPHPClient(t *testing.T) {
	t.Parallel()
	php := lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	d := startDaemon(t, "listen: {http: true}\n")
	dir := t.TempDir()
	phpClient(t, dir)
	const program = `<?php
require __DIR__ . '/strowger.php';
[, $url, $kind, $name, $hash] = $argv;
try {
    $client = Strowger\Client::withToken($url, $name, $hash);
    if ($kind === 'publish') {
        $client->publish('news', ['text' => "line\nline"], 'key');
        echo 'published';
    } else {
        $client->request($kind, 'topic', null);
    }
} catch (Strowger\Error $e) {
    echo $e->status, ' ', $e->getMessage();
}
`
	file := filepath.Join(dir, "main.php")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	service := token.Spec{ServiceName: "news", ServiceClass: "news_service"}
	client := token.Spec{UserName: "ann"}
	tests := map[string]struct {
		spec   token.Spec
		kind   string
		change func(name, hash *string)
		want   string
	}{
		"published":            {service, "publish", nil, "published"},
		"a client publishes":   {client, "publish", nil, "403 "},
		"a service requests":   {service, "some.service", nil, "403 "},
		"an unknown service":   {client, "no.such.service", nil, "404 "},
		"a token that is bad":  {client, "some.service", func(_, hash *string) { *hash = "0" + (*hash)[1:] + "0" }, "401 "},
		"a token with a break": {client, "some.service", func(name, _ *string) { *name += "\r\nX: y" }, "401 "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			made, _, err := token.Create(d.TokenDir, test.spec, token.PHP)
			if err != nil {
				t.Fatal(err)
			}
			tokenName, hash := made.Name, made.Hash
			if test.change != nil {
				test.change(&tokenName, &hash)
			}
			out, err := exec.CommandContext(t.Context(), php, file, "http://"+d.Addr, test.kind, tokenName, hash).CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), test.want) {
				t.Errorf("%s: %v; want %s", out, err, test.want)
			}
		})
	}
}
