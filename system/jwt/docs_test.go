package jwt

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestSnippets runs the programs of docs/tokens.md that make a JWT, those whose language is on this machine.
func TestSnippets(t *testing.T) {
	page, err := os.ReadFile("../../docs/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	secret := keyFile(t, strings.Repeat("s", 64)+"\n")
	o := options("HS256 " + secret)
	o.Now = time.Now
	v := verifier(t, o)
	for language, run := range map[string]struct{ tail, program, flag string }{
		"php":    {"echo $jwt;", "php", "-r"},
		"python": {"print(jwt)", "python3", "-c"},
		"js":     {"console.log(jwt)", "node", "-e"},
	} {
		t.Run(language, func(t *testing.T) {
			_, rest, found := strings.Cut(string(page), "\n```"+language+"\n")
			code, _, _ := strings.Cut(rest, "\n```\n")
			if !found || !strings.Contains(code, "/etc/strowger/jwt-secret") {
				t.Fatal("the page has no such program")
			}
			program, err := exec.LookPath(run.program)
			if err != nil {
				t.Skip("there is no " + run.program)
			}
			code = strings.ReplaceAll(code, "/etc/strowger/jwt-secret", secret) + "\n" + run.tail
			out, err := exec.CommandContext(t.Context(), program, run.flag, code).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			g, err := v.Verify(strings.TrimSpace(string(out)))
			if err != nil || g.Subject != "42" || len(g.Permissions) != 1 {
				t.Errorf("%s: %+v, %v", out, g, err)
			}
		})
	}
}
