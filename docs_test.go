package strowger_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"strowger/config"
)

// elsewhere is a block of a page that TestBlocks does not check by itself. Either a test runs it, or there is a reason why none does.
type elsewhere struct {
	page, begins string // begins is how its first line begins
	test         string // directory and name of the test
	reason       string
}

// blocksElsewhere has the blocks that are neither YAML nor JSON nor the parts of programs in goParts.
func blocksElsewhere() []elsewhere {
	const (
		apps       = "docs/fusionpbx-apps.md"
		clients    = "docs/clients.md"
		appFiles   = "system/e2e TestAppSnippets"
		conversing = "system/e2e TestReadmeConversation"
		embedding  = ". TestEmbedding"
		installs   = "changes the machine that it runs on, which must have FusionPBX and systemd; TestDebBesideFusionPBX and TestUnderSystemd of tools/release install on a machine of their own"
		production = "looks at a machine with FusionPBX under systemd"
		measures   = "measures for a long time on a quiet machine; the tests of bench run each workload"
	)
	return []elsewhere{
		{"README.md", "git clone URL", "system/e2e TestReadme", ""},
		{"README.md", "<!doctype html>", "system/e2e TestReadme", ""},
		{"README.md", "$ ./strowger token create", "system/e2e TestReadme", ""},
		{"README.md", "$ ./strowger demo --chaos", "cmd/strowger TestDemoWithChaos", ""},
		{"README.md", "apt install", "", "needs a published release; the tests of tools/release make one and install its package"},
		{"README.md", "$ echo 'policies", conversing, ""},
		{"README.md", "$ php testdata", conversing, ""},
		{"README.md", "$ ./strowger call parrot", conversing, ""},
		{"README.md", "var clock", "examples/clock TestPages", ""},
		{"README.md", "$ go run ./examples/clock", conversing, ""},
		{"README.md", "$ curl 127.0.0.1:8081/readyz", conversing, ""},
		{"CONTRIBUTING.md", "go tool -modfile", ". TestTasks", ""},
		{"CONTRIBUTING.md", "cmd -> system", "", "a drawing of what TestImports holds"},
		{"CONTRIBUTING.md", "cd system/internal/console/page", "", "asks the registry of npm what is newer"},
		{"docs/check.md", "strowger check", "", production + "; the tests of cmd/strowger/internal/check check what it says of such machines"},
		{"docs/check.md", "ok       listen.port", "", "shows the form of the lines; the name of each finding is in the page's table, which TestDocs of cmd/strowger/internal/check writes"},
		{"docs/cluster.md", "openssl rand", "", "changes the machine that it runs on; TestTwoCommands of system/succession has such a file"},
		{"docs/cluster.md", "strowger serve --cluster-listen", "", "is for two machines; TestTwoCommands of system/succession runs both commands on one"},
		{"docs/cluster.md", "node pbx1 of cluster", "system/succession TestTwoCommands", ""},
		{"docs/cluster.md", "SINGLETON", "cmd/strowger TestClusterTable", ""},
		{"docs/cluster.md", "strowger.strowger.>", "system/internal/cluster/natsbus TestSubjectsRefused", ""},
		{"docs/console.md", "$ strowger status --admin https", "", "needs certificates; TestAdminPagesWithTLS of system makes some"},
		{clients, "./strowger demo", "system/e2e TestClientsByHand", ""},
		{clients, "$ websocat", "system/e2e TestClientsByHand", ""},
		{clients, "$ curl -u", "system/e2e TestClientsHTTP", ""},
		{clients, "<?php\n// http.php", "system/e2e TestClientsPHPByHTTP", ""},
		{clients, "$ curl -sN", "system/e2e TestClientsEvents", ""},
		{clients, "const events = new EventSource", "", "asks a server of the reader's; TestEvents of transport opens such a stream and posts to it"},
		{clients, "curl -H", "", "needs a JWT and an API key of the reader's; TestHTTPWithReusableTokens of system uses both"},
		{clients, "<!doctype html>", "system/e2e TestClientsPage", ""},
		{clients, "const token = async ({ signal })", "", "asks a server of the reader's; TestClientOfTheDaemon of system/e2e has such a callback"},
		{clients, "npm install", "", "needs a published release; TestClientsNode of system/e2e takes the package from this repository"},
		{clients, "import { execFileSync }", "system/e2e TestClientsNode", ""},
		{clients, "const token = async ({ previous })", "", "asks a server of the reader's; TestClientOnAFlakyNetwork of system/e2e has such a callback"},
		{clients, "client.subscribe(\"weather\"", "", "needs a service of the reader's; a test in clients/js runs it"},
		{clients, "import { useRequest", "", "needs a bundler; the tests in clients/js use the same functions in React"},
		{clients, "<script setup>", "", "needs a bundler; the tests in clients/js use the same functions in Vue"},
		{clients, "// clock/main.go", "system/e2e TestClientsGo", ""},
		{clients, "<?php\n// clock.php", "system/e2e TestClientsClock", ""},
		{clients, "$ echo 'policies", "system/e2e TestClientsWeather", ""},
		{clients, "<?php\n// weather.php", "system/e2e TestClientsWeather", ""},
		{clients, "# clock.py", "system/e2e TestClientsClock", ""},
		{clients, "# weather.py", "system/e2e TestClientsWeather", ""},
		{"docs/configuration.md", "strowger config schema", conversing, ""},
		{"docs/configuration.md", "strowger.yaml:7", "config TestDocsErrors", ""},
		{"docs/configuration.md", "$ strowger reload", "", "names a certificate that expires; TestReloadAnswers of system/e2e reads such lines"},
		{"docs/deploy.md", "apt install", "", installs},
		{"docs/deploy.md", "strowger fusionpbx install", "", installs},
		{"docs/deploy.md", "CGO_ENABLED=0 go build", "", installs + "; .ci/run builds so for each platform"},
		{"docs/deploy.md", "strowger fusionpbx install --router-only", "", installs},
		{"docs/deploy.md", "strowger fusionpbx update", "", installs},
		{"docs/deploy.md", "sudo -u www-data test", "", production},
		{"docs/deploy.md", "strowger config defaults", "", installs},
		{"docs/deploy.md", "location /websockets/", "", "is for nginx, which the tests do not have; system/e2e has the pages connect with another port in their Origin, as nginx lets them"},
		{"docs/deploy.md", "proxy_set_header X-Forwarded-For", "", "is for nginx, which the tests do not have; TestProxyHeaderAndForwardedFor of transport reads such a header"},
		{"docs/deploy.md", "strowger check --fusionpbx", "", production},
		{"docs/deploy.md", "systemctl status", "", production},
		{"docs/deploy.md", "curl -i -N", "", "asks a host with a certificate"},
		{"docs/deploy.md", "sudo -u www-data strowger call", "", production},
		{"docs/embedding.md", "go mod init", embedding, ""},
		{"docs/embedding.md", "go mod tidy", embedding, ""},
		{"docs/embedding.md", "// router/main.go", embedding, ""},
		{"docs/embedding.md", "// greeter/main.go", embedding, ""},
		{"docs/embedding.md", "// ask/main.go", embedding, ""},
		{"docs/embedding.md", "Hello, Ada!", embedding, ""},
		{apps, "public static function get_service_name", appFiles, ""},
		{apps, "protected function register_topics", appFiles, ""},
		{apps, "private function answer", appFiles, ""},
		{apps, "$this->respond", appFiles, ""},
		{apps, "[Service]", appFiles, ""},
		{apps, "// The name may be any", appFiles, ""},
		{apps, "websocket_client::send", appFiles, ""},
		{apps, "$token = (new token())", appFiles, ""},
		{apps, "// nginx passes", appFiles, ""},
		{apps, "if (envelope.status_code", appFiles, ""},
		{apps, "strowger config check", "system/e2e TestAppCommands", ""},
		{apps, "echo '{\"topic\"", "system/e2e TestAppCommands", ""},
		{"docs/performance.md", "go tool -modfile", ". TestTasks", ""},
		{"docs/performance.md", "FUSIONPBX_SRC", "", measures},
		{"docs/policies.md", "$ strowger explain --token", "", "needs a token and an event of the reader's; TestExplainToken of cmd/strowger gives it both"},
		{"docs/policies.md", "$ curl '127.0.0.1:8081/subscribers", "", "names a subscriber of the reader's; TestExplainSubscriber of cmd/strowger has one"},
		{"docs/upgrade.md", "install -m 0755", "", "changes the machine that it runs on; TestVerb of system/succession runs strowger upgrade"},
		{"docs/upgrade.md", "process 4711", "system/succession TestVerb", ""},
		{"docs/upgrade.md", "# /etc/systemd/system/strowger.socket", "", "is for systemd; TestSocketActivation of system/succession gives the daemon such sockets"},
		{"docs/releases.md", "sha256sum", "", "needs a published release; TestArchive of tools/release compares the sums of one"},
		{"docs/releases.md", "apt install", "", "needs a published release; TestDeb of tools/release installs the package of one"},
		{"docs/releases.md", "sudo -u strowger", "", "needs the installed package; TestDeb of tools/release installs it"},
		{"docs/releases.md", "dnf install", "", "needs Fedora or RHEL"},
		{"docs/releases.md", "podman load", "", "needs podman; TestImage of tools/release reads the image"},
		{"docs/releases.md", "git tag", "", "tags a commit; TestReproducible of tools/release makes a release twice"},
		{"docs/services.md", "var clock", "examples/clock TestPages", ""},
		{"docs/tokens.md", "umask 077", conversing, ""},
		{"docs/tokens.md", "$enc = fn", "system/jwt TestSnippets", ""},
		{"docs/tokens.md", "import base64", "system/jwt TestSnippets", ""},
		{"docs/tokens.md", "const {createHmac}", "system/jwt TestSnippets", ""},
	}
}

// goParts are parts of programs in the pages, each with what makes a file of it, where %s is.
func goParts() []elsewhere {
	const head = "package parts\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"time\"\n\n\t\"strowger/client\"\n\t\"strowger/system/service\"\n\t\"strowger/system/token\"\n)\n\n" +
		"var _, _, _, _, _, _ = context.Background, fmt.Errorf, time.Now, client.Dial, service.Everyone, token.Create\n\n"
	return []elsewhere{
		{page: "README.md", begins: "c, err := client.Dial", test: head + "func _(ctx context.Context, token func(context.Context) (client.Token, error)) {\n%s\n_, _ = reply, err\n}\n"},
		{page: "docs/embedding.md", begins: "opts := client.Options{", test: head + "func _() {\n%s\n_ = opts\n}\n"},
		{page: "docs/services.md", begins: `s.Handle("report"`, test: head + "func _(s service.Setup, query func(context.Context) ([]string, error)) {\n%s\n}\n"},
		{page: "docs/tokens.md", begins: "made, path, err := token.Create", test: head + "func _() {\n%s\n_, _, _ = made, path, err\n}\n"},
	}
}

// documented returns the pages for readers.
func documented(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return append(pages, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "THREATS.md")
}

// TestBlocks wants each block of the pages to be checked: settings load, JSON and parts of programs are well formed, and the others
// are in blocksElsewhere, where nothing is that the pages do not have.
func TestBlocks(t *testing.T) {
	listed, parts := blocksElsewhere(), goParts()
	used := map[string]bool{}
	files := map[string]string{} // parts of programs as files
	total := 0
	for _, page := range documented(t) {
		for _, b := range blocks(t, page) {
			total++
			text := strings.TrimSpace(b.text)
			matches := func(e elsewhere) bool { return e.page == page && strings.HasPrefix(text, e.begins) }
			switch b.language {
			case "yaml":
				checkSettings(t, page, b.text)
				continue
			case "json":
				if !json.Valid([]byte(text)) && !json.Valid([]byte("{"+text+"}")) {
					t.Errorf("%s: no JSON: %s", page, text)
				}
				continue
			case "go":
				if i := slices.IndexFunc(parts, matches); i >= 0 {
					used[page+parts[i].begins] = true
					files[fmt.Sprintf("part%d.go", len(files))] = fmt.Sprintf(parts[i].test, b.text)
					continue
				}
			}
			found := false
			for _, e := range listed {
				if matches(e) {
					found = true
					used[page+e.begins] = true
				}
			}
			if !found {
				t.Errorf("%s: no test runs this block, and blocksElsewhere in docs_test.go does not say why:\n%s", page, b.text)
			}
		}
	}
	if total < 80 {
		t.Errorf("%d blocks: is the reading wrong?", total)
	}
	for _, e := range slices.Concat(listed, parts) {
		if !used[e.page+e.begins] {
			t.Errorf("%s has no block that begins with %q", e.page, e.begins)
		}
	}
	for _, e := range listed {
		if (e.test == "") == (e.reason == "") {
			t.Errorf("%s: %s: needs a test or a reason", e.page, e.begins)
		}
		if e.test != "" && !hasTest(t, e.test) {
			t.Errorf("%s: %s: there is no test %s", e.page, e.begins, e.test)
		}
	}
	for _, e := range listed {
		for _, m := range regexp.MustCompile(`(Test\w+)(?: and (Test\w+))? of ([a-z0-9/]+)`).FindAllStringSubmatch(e.reason, -1) {
			for _, name := range m[1:3] {
				if name != "" && !hasTest(t, m[3]+" "+name) {
					t.Errorf("%s: %s: there is no test %s in %s", e.page, e.begins, name, m[3])
				}
			}
		}
	}
	compileParts(t, files)
}

// hasTest tells whether a directory has a test, both in one text.
func hasTest(t *testing.T, place string) bool {
	t.Helper()
	dir, name, _ := strings.Cut(place, " ")
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)")
	})
}

// checkSettings loads a block as a file of settings.
func checkSettings(t *testing.T, page, text string) {
	t.Helper()
	// A page shows the form of a hash, and none that somebody could copy.
	text = strings.ReplaceAll(text, "p=1$...", "p=1$"+strings.Repeat("a", 22)+"$"+strings.Repeat("b", 43))
	file := filepath.Join(t.TempDir(), "settings.yaml")
	write(t, file, text)
	cfg, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Errorf("%s: %v\n%s", page, err, text)
		return
	}
	if len(config.Diff(config.Default(), cfg)) == 0 {
		t.Errorf("%s: sets nothing:\n%s", page, text)
	}
}

// compileParts compiles files as a package of this module that is nowhere on disk.
func compileParts(t *testing.T, files map[string]string) {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go tool")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
		replace[filepath.Join(here, "partsofpages", name)] = filepath.Join(dir, name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	build := exec.CommandContext(t.Context(), goTool, "build", "-overlay", filepath.Join(dir, "overlay.json"), "./partsofpages")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("parts of programs in the pages: %v\n%s", err, out)
	}
}

// TestTasks wants each task that a page names to exist.
func TestTasks(t *testing.T) {
	taskfile, err := os.ReadFile("Taskfile.yml")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range documented(t) {
		for _, b := range blocks(t, page) {
			for _, m := range regexp.MustCompile(`(?m)^go tool -modfile=tools/go\.mod task ([a-z:]+)`).FindAllStringSubmatch(b.text, -1) {
				named++
				if !strings.Contains(string(taskfile), "\n  "+m[1]+":\n") {
					t.Errorf("%s names the task %s, which does not exist", page, m[1])
				}
			}
		}
	}
	if named < 5 {
		t.Errorf("%d tasks: is the reading wrong?", named)
	}
}
