package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"strowger/system/internal/daemontest"
)

const (
	appDir    = "../../examples/fusionpbx-app"
	appSecret = "hush"
)

// app is a site with the app of examples/fusionpbx-app: its files where FusionPBX has them, with stand-ins for the
// classes of FusionPBX, its pages behind a proxy, and a daemon.
type app struct {
	t        *testing.T
	settings string // the daemon's file
	umask    string // of its PHP processes
	daemon   *daemon
	env      []string // of its PHP processes
	root     string   // of the pages
	url      string   // of the proxy
}

// startApp starts the daemon with the app's settings, and what answers the app's pages. The service does not run yet.
func startApp(t *testing.T) *app {
	t.Helper()
	return startAppWith(t, filepath.Join(appDir, "strowger.yaml"), "022", func(*app) {})
}

// startAppWith is startApp with another file of settings, another umask of PHP, and changes of the app's files.
func startAppWith(t *testing.T, settings, umask string, change func(a *app)) *app {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	a := &app{t: t, settings: settings, umask: umask, root: t.TempDir()}
	a.daemon = startStage(t, "calls-idle").startInside(nil, "--config", a.settings)
	php := filepath.Join("..", "..", "testdata", "php")
	for from, to := range map[string]string{
		filepath.Join(appDir, "texts"): "app/texts", filepath.Join(php, "standin"): "resources",
	} {
		if err := os.CopyFS(filepath.Join(a.root, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ws_session.php", "ws_link.php"} {
		text, err := os.ReadFile(filepath.Join(php, name))
		if err != nil {
			t.Fatal(err)
		}
		a.write(name, string(text))
	}
	change(a)
	host, port := a.daemon.hostPort(t)
	a.write("config.conf", fmt.Sprintf("websocket.host = %s\nwebsocket.port = %s\ntexts.hook_secret = %s\n", host, port, appSecret))
	a.env = append(os.Environ(), "STANDIN_ROOT="+a.root, "STANDIN_CONFIG="+filepath.Join(a.root, "config.conf"), "STANDIN_TOKENS="+a.daemon.TokenDir)
	a.url = a.proxy(a.pages())
	return a
}

func (a *app) write(name, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.root, name), []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// php returns a command that runs PHP as the app's user would.
func (a *app) php(args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", "umask " + a.umask + `; exec php -n -d display_errors=stderr "$@"`, "sh"}, args...)...)
	cmd.Env = a.env
	return cmd
}

// service starts the app's service.
func (a *app) service() *phpProcess {
	a.t.Helper()
	return runPHP(a.t, "texts.php", a.php(filepath.Join(a.root, "app/texts/resources/service/texts.php")))
}

// pages starts PHP's own web server and returns its address.
func (a *app) pages() *url.URL {
	a.t.Helper()
	cmd := a.php("-S", "127.0.0.1:0", "-t", a.root)
	daemontest.Group(cmd)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	started, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if found := regexp.MustCompile(`\((http://.*)\) started`).FindStringSubmatch(lines.Text()); found != nil {
				started <- found[1]
			}
		}
		_ = cmd.Wait() // it is killed
	}()
	a.t.Cleanup(func() {
		if err := daemontest.KillGroup(cmd); err != nil {
			a.t.Error(err)
		}
		<-ended
	})
	select {
	case at := <-started:
		target, err := url.Parse(at)
		if err != nil {
			a.t.Fatal(err)
		}
		return target
	case <-ended:
		a.t.Fatal("PHP's web server does not start")
	}
	return nil
}

// proxy stands in for nginx: it passes /websockets/ on to the router and all else to PHP.
func (a *app) proxy(pages *url.URL) string {
	router := &url.URL{Scheme: "http", Host: a.daemon.Addr}
	proxy := func(to *url.URL) http.Handler {
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		}}
	}
	mux := http.NewServeMux()
	mux.Handle("/websockets/", proxy(router))
	mux.Handle("/", proxy(pages))
	server := httptest.NewServer(mux)
	a.t.Cleanup(server.Close)
	return server.URL
}

// page is the address of the app's page for somebody of a domain.
func (a *app) page(domain string, permissions ...string) string {
	return a.url + "/app/texts/index.php?as=" + domain + ":" + strings.Join(permissions, ",")
}

// hook does what the carrier does, and returns the status.
func (a *app) hook(secret, domain, text string) int {
	a.t.Helper()
	body, err := json.Marshal(map[string]string{"domain_name": domain, "to": "1001", "text": text})
	if err != nil {
		a.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, a.url+"/app/texts/hook.php", bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("X-Hook-Secret", secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// tokenFile has the page make a token that nobody uses, and returns its file.
func (a *app) tokenFile(domain string, permissions ...string) string {
	a.t.Helper()
	response, err := http.Get(a.page(domain, permissions...))
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	found := regexp.MustCompile(`"name":"([0-9a-f]{64})"`).FindSubmatch(text)
	if found == nil {
		a.t.Fatalf("the page has no token:\n%s", text)
	}
	return filepath.Join(a.daemon.TokenDir, string(found[1])+".php")
}

// TestApp runs the app of examples/fusionpbx-app as it stands: its service, its web hook and its page for people of
// two domains, with the settings beside it and none of ours.
func TestApp(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	a := startApp(t)
	a.service()
	messages := func(page *devtools, want string) {
		t.Helper()
		page.await(`[...document.querySelectorAll("#messages li")].map((item) => item.textContent).join(", ") === "` + want + `"`)
	}
	send := func(page *devtools, to, text string, status int) {
		t.Helper()
		page.eval(fmt.Sprintf(`document.getElementById("to").value = %q; document.getElementById("text").value = %q; document.getElementById("form").requestSubmit()`, to, text))
		page.await(fmt.Sprintf(`document.getElementById("state").textContent === "send: %d"`, status))
	}
	connect := func(domain string, permissions ...string) *devtools {
		t.Helper()
		page := openTools(t, a.page(domain, permissions...))
		page.await(`document.getElementById("state").textContent === "connected"`)
		return page
	}
	one, two := connect("one.example", "texts_view", "texts_send"), connect("two.example", "texts_view")

	send(one, "1001", "hello", 200)
	messages(one, "1001: hello")
	if status := a.hook(appSecret, "two.example", "from outside"); status != http.StatusNoContent {
		t.Errorf("the hook answers %d", status)
	}
	messages(two, "1001: from outside")
	if status := a.hook("guessed", "one.example", "forged"); status != http.StatusForbidden {
		t.Errorf("the hook answers %d to a wrong secret", status)
	}
	send(two, "1001", "not allowed", 403)
	send(one, "1001@two.example", "to another domain", 403)
	messages(one, "1001: hello")
	messages(two, "1001: from outside")

	// Who comes later gets what is kept of the own domain.
	messages(connect("one.example", "texts_view"), "1001: hello")
	nobody := connect("one.example")
	send(nobody, "1001", "not allowed", 403)
	messages(nobody, "")
	for _, want := range []string{`"rule":"requests.send`, `"rule":"plain_keys.to: is no plain name"`, `"rule":"require: has none of texts_view"`} {
		if !strings.Contains(a.daemon.Log(), want) {
			t.Errorf("the log does not say %q:\n%s", want, a.daemon.Log())
		}
	}
	for _, page := range []*devtools{one, two, nobody} {
		page.checkQuiet()
	}
}

// blocks returns the blocks of a kind in the page about apps.
func blocks(t *testing.T, kind string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/fusionpbx-apps.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, block := range regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		found = append(found, block[1])
	}
	if len(found) == 0 {
		t.Fatalf("the page has no block of %s", kind)
	}
	return found
}

// TestAppSnippets holds the page about apps to the files that the other tests run.
func TestAppSnippets(t *testing.T) {
	var files strings.Builder
	err := filepath.WalkDir(appDir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"php", "js", "yaml", "ini"} {
		for _, block := range blocks(t, kind) {
			if !strings.Contains(files.String(), block) {
				t.Errorf("no file of the example has\n%s", block)
			}
		}
	}
}

// TestAppCommands runs the commands of the page about apps.
func TestAppCommands(t *testing.T) {
	t.Parallel()
	a := startApp(t)
	a.service()
	commands := blocks(t, "sh")
	out := a.run(commands[0])
	for _, want := range []string{`"topic":"sent"`, `"payload":[{"domain_name":"one.example","to":"1001","text":"hello"}]`} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands print\n%s\nwant %s", out, want)
		}
	}
	alice := a.tokenFile("one.example", "texts_view")
	explain := strings.ReplaceAll(commands[1], "TOKEN", alice)
	for _, test := range []struct{ command, want string }{
		{explain, `"verdict":"drop","rule":"scopes[0] to domain: the key that tells whose it is does not match"`},
		{strings.ReplaceAll(explain, "two.example", "one.example"), `"verdict":"deliver"`},
		{strings.ReplaceAll(explain, "MESSAGE", "send"), `"refused":"requests.send`},
	} {
		if out := a.run(test.command); !strings.Contains(out, test.want) {
			t.Errorf("%s prints\n%s\nwant %s", test.command, out, test.want)
		}
	}
}

// run carries out commands of the page about apps, and returns what they print.
func (a *app) run(commands string) string {
	a.t.Helper()
	out, err := a.command(commands).CombinedOutput()
	if err != nil {
		a.t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

// command carries out commands of the page about apps at this site.
func (a *app) command(commands string) *exec.Cmd {
	a.t.Helper()
	path, err := binary()
	if err != nil {
		a.t.Fatal(err)
	}
	function := fmt.Sprintf(`strowger() { case $1 in call) '%s' "$@" --url ws://%s/ --token-dir '%s' ;; *) '%s' "$@" ;; esac; }`+"\n",
		path, a.daemon.Addr, a.daemon.TokenDir, path)
	return exec.Command("sh", "-ec", function+strings.ReplaceAll(commands, "/etc/strowger.yaml", a.settings))
}
