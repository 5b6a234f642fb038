package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// snippetBeside writes a program of docs/clients.md into a directory, with the client beside it. It returns the name of its file.
func (l language) snippetBeside(t *testing.T, dir, name, address string) string {
	t.Helper()
	library, err := os.ReadFile(l.library)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"strowger" + l.suffix: string(library), name: clientsSnippet(t, l.name, name, address)} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// TestClientsClock runs the programs of docs/clients.md that ask the demo and listen to it.
func TestClientsClock(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		g := guide(t)
		file := l.snippetBeside(t, g.dir, "clock"+l.suffix, strings.TrimSuffix(strings.TrimPrefix(g.router, "ws://"), "/"))
		tokens := g.token[strings.LastIndex(g.token, " ")+1:]
		out := shell(t, g.dir, l.program[0]+" "+file+" "+tokens)
		const reading = `\{"time": ?"[^"]+"\}`
		if want := regexp.MustCompile(`^now ` + reading + `\nstatus 404\n(tick ` + reading + ` 0\n?){3}$`); !want.MatchString(out) {
			t.Errorf("printed %q", out)
		}
	})
}

// TestClientsWeather runs the services of docs/clients.md at a router with the policy of the page, and asks them as it says.
func TestClientsWeather(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", "clients.md"))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		shell(t, dir, regexp.MustCompile(`(?m)^\$ (echo 'policies.*)$`).FindStringSubmatch(string(page))[1])
		settings, err := os.ReadFile(filepath.Join(dir, "weather.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		d := startDaemon(t, string(settings))
		program, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(dir, "strowger")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(l.program[0], l.snippetBeside(t, dir, "weather"+l.suffix, d.Addr), d.TokenDir)
		cmd.Dir = dir
		p := watchProgram(t, cmd)
		if err := d.Await(t.Context(), `"msg":"service up","service":"weather"`); err != nil {
			t.Fatal(err)
		}
		ask := regexp.MustCompile("ask it by\\s+`(.*?)`").FindStringSubmatch(string(page))[1]
		out := shell(t, dir, ask+" --url ws://"+d.Addr+"/ --token-dir "+d.TokenDir)
		if !strings.Contains(out, `"payload":{"city":"Oslo","celsius":-3}`) {
			t.Errorf("%s is answered %s", ask, out)
		}
		p.terminate()
		p.done()
		if err := d.Await(t.Context(), `"msg":"service down","service":"weather"`); err != nil {
			t.Error(err)
		}
	})
}
