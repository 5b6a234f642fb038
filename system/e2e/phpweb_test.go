package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"strowger/system/internal/daemontest"
)

// TestPHPInAWebRequest has PHP's own web server run a page that asks a service through a socket.
func TestPHPInAWebRequest(t *testing.T) {
	t.Parallel()
	php := lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	d := startDaemon(t, "")
	serveNumbers(t, d)
	dir := t.TempDir()
	phpClient(t, dir)
	const page = `<?php
require __DIR__ . '/strowger.php';
$token = fn () => Strowger\Token::parse(file_get_contents('%s/client'));
$socket = new Strowger\Socket('ws://%s/', $token, new Strowger\Options(timeout: 60.0));
echo json_encode([$socket->request('lab.numbers', 'echo', $_GET['say']), $socket->receive(60.0)->service]);
$socket->close();
`
	if err := os.WriteFile(filepath.Join(dir, "index.php"), fmt.Appendf(nil, page, langLab(t, d.TokenDir, nil), d.Addr), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(php, "-n", "-S", "127.0.0.1:0", "-t", dir)
	daemontest.Group(cmd)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemontest.KillGroup(cmd)
		_ = cmd.Wait() // it was killed
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	at := regexp.MustCompile(`\((http://.+)\) started`).FindStringSubmatch(line)
	if err != nil || at == nil {
		t.Fatalf("PHP says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	for range 3 {
		answer, err := http.Get(at[1] + "/?say=hello")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if want := `["hello","` + numbersName + `"]`; err != nil || string(body) != want {
			t.Errorf("the page says %q, want %q; %v", body, want, err)
		}
	}
}
