package e2e

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/system/internal/daemontest"
)

const (
	onItsOwn     = "STROWGER_TEST_ON_ITS_OWN" // set in a process that has a network and a /dev/shm of its own
	notPermitted = "not permitted: "
)

// TestReadmeConversation types the commands of README.md from the first conversation on, and those of the pages that need no more than
// its router. They have the ports and the token directory that the pages print, so they run in a process with a network and a /dev/shm
// of its own.
func TestReadmeConversation(t *testing.T) {
	if os.Getenv(onItsOwn) != "" {
		converse(t)
		return
	}
	lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	for _, program := range []string{"curl", "openssl", "go"} {
		lookPath(t, "STROWGER_REQUIRE_PHP", program)
	}
	t.Parallel()
	built, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	own := func(outside int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: outside, Size: 1}} }
	const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
	for _, attr := range []*syscall.SysProcAttr{
		{Cloneflags: apart}, // for root
		{Cloneflags: apart | syscall.CLONE_NEWUSER, UidMappings: own(os.Getuid()), GidMappings: own(os.Getgid())},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReadmeConversation$", "-test.v", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), onItsOwn+"=1", "STROWGER_BINARY="+built)
		cmd.SysProcAttr = attr
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err = cmd.Start(); err != nil {
			continue
		}
		err = cmd.Wait()
		if _, after, found := strings.Cut(out.String(), notPermitted); found {
			reason, _, _ := strings.Cut(after, "\n")
			t.Skip("a process of its own is " + notPermitted + reason)
		}
		if err != nil || !strings.Contains(out.String(), "--- PASS: TestReadmeConversation") {
			t.Fatalf("%v\n%s", err, &out)
		}
		return
	}
	t.Skipf("no process with a network of its own can be started: %v", err)
}

// settle gives this process a network with a loopback interface and an empty /dev/shm.
func settle(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP)
	err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	if err == nil {
		err = unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err == nil {
		err = unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skip(notPermitted + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// typist types command lines into shells.
type typist struct {
	t    *testing.T
	root string // of the repository
	dir  string // where the program is
}

// command returns a command line for a shell, in the directory of the program. Commands of other programs that name files of the
// repository run there.
func (y *typist) command(line string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = y.dir
	if program := strings.TrimPrefix(line, "exec "); strings.HasPrefix(program, "php ") || strings.HasPrefix(program, "go ") {
		cmd.Dir = y.root
	}
	// The daemon takes names that begin so for its own.
	theirs := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "STROWGER_") })
	cmd.Env = append(theirs, "PATH="+y.dir+":"+os.Getenv("PATH"))
	return cmd
}

// run runs a command to its end and returns what it prints on stdout.
func (y *typist) run(line string) string {
	y.t.Helper()
	var stderr strings.Builder
	cmd := y.command(line)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		y.t.Fatalf("%s: %v\n%s%s", line, err, out, &stderr)
	}
	return string(out)
}

// begin runs a command until t ends, and returns the lines that it prints.
func (y *typist) begin(line string) <-chan string {
	y.t.Helper()
	cmd := y.command("exec " + line)
	reads, writes := io.Pipe()
	cmd.Stdout, cmd.Stderr = writes, writes
	stdin, err := cmd.StdinPipe() // open, as a terminal is
	if err != nil {
		y.t.Fatal(err)
	}
	daemontest.Group(cmd)
	if err := cmd.Start(); err != nil {
		y.t.Fatal(err)
	}
	lines, read := make(chan string, 100), make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		_ = writes.Close()
	}()
	go func() {
		defer close(read)
		defer close(lines)
		for scanner := bufio.NewScanner(reads); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			default: // nobody waits for it
			}
		}
	}()
	y.t.Cleanup(func() {
		_ = stdin.Close()
		_ = daemontest.KillGroup(cmd) // it may have ended by itself
		<-read
	})
	return lines
}

// await waits for a line with the text.
func (y *typist) await(lines <-chan string, text string) {
	y.t.Helper()
	var seen strings.Builder
	late := time.After(deadline)
	for {
		select {
		case line, ok := <-lines:
			if strings.Contains(line, text) {
				return
			}
			if !ok {
				y.t.Fatalf("nothing says %q:\n%s", text, &seen)
			}
			seen.WriteString(line + "\n")
		case <-late:
			y.t.Fatalf("nothing says %q:\n%s", text, &seen)
		}
	}
}

// offered waits until a service is there.
func (y *typist) offered(service string) {
	y.t.Helper()
	for late := time.Now().Add(deadline); ; {
		if strings.Contains(y.run(`./strowger call strowger offered '{"service":"`+service+`"}'`), `"offered":true`) {
			return
		}
		if time.Now().After(late) {
			y.t.Fatalf("nobody offers %s", service)
		}
	}
}

// typed returns the blocks of commands after a heading of a page, each as its lines, without the prompts.
func typed(t *testing.T, root, page, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	var all [][]string
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(part, -1) {
		if block[1] == "" || block[1] == "sh" {
			all = append(all, strings.Split(strings.TrimSpace(strings.ReplaceAll("\n"+block[2], "\n$ ", "\n")), "\n"))
		}
	}
	return all
}

func converse(t *testing.T) {
	settle(t)
	built, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	y := &typist{t: t, root: root, dir: t.TempDir()}
	if err := os.Symlink(built, filepath.Join(y.dir, "strowger")); err != nil {
		t.Fatal(err)
	}

	blocks := typed(t, root, "README.md", "A first conversation")
	if len(blocks) != 3 {
		t.Fatalf("README.md has the conversation %q", blocks)
	}
	y.run(blocks[0][0])
	y.await(y.begin(blocks[0][1]), `"msg":"listening"`)
	y.begin(blocks[1][0])
	y.offered("parrot")
	if got, want := strings.TrimSpace(y.run(blocks[2][0])), blocks[2][1]; got != want {
		t.Errorf("%s prints %s, the page has %s", blocks[2][0], got, want)
	}

	clock := typed(t, root, "README.md", "A service of your own")[0]
	y.begin(clock[0])
	y.offered("clock")
	if got := y.run(clock[1]); !strings.Contains(got, `"code":200,"payload":"2`) {
		t.Errorf("%s prints %s", clock[1], got)
	}
	y.await(y.begin(clock[2]), `"topic":"tick"`)

	prints := map[string]string{
		"curl 127.0.0.1:8081/readyz":  "",
		"curl 127.0.0.1:8081/metrics": "strowger_",
		"curl 127.0.0.1:8081/tree":    `"name":`,
		"./strowger status":           "parrot",
		"./strowger config policies":  "parrot:",
	}
	for _, line := range typed(t, root, "README.md", "Looking after it")[0] {
		known := false
		for command, want := range prints {
			if strings.HasPrefix(line, command) {
				known = true
				if got := y.run(line); !strings.Contains(got, want) {
					t.Errorf("%s prints %s", line, got)
				}
			}
		}
		if !known {
			t.Errorf("the test does not know what %s prints", line)
		}
	}
	if got := y.run("curl -s -o /dev/null -w '%{http_code}' 127.0.0.1:8081/readyz"); got != "200" {
		t.Errorf("readyz answers %s", got)
	}

	making := typed(t, root, "docs/tokens.md", "Making a token")
	script := strings.Join(making[len(making)-1], "\n")
	asked := `./strowger call strowger offered '{"service":"parrot"}' --token-name "$name" --token-hash "$hash"`
	if got := y.run(script + "\n" + asked); !strings.Contains(got, `"offered":true`) {
		t.Errorf("with a token of the page, %s prints %s", asked, got)
	}
	for _, schema := range typed(t, root, "docs/configuration.md", "In an editor")[0] {
		y.run(schema)
	}
	if text, err := os.ReadFile(filepath.Join(y.dir, "strowger.schema.json")); err != nil || !strings.Contains(string(text), "json-schema.org") {
		t.Errorf("the schema is %q, %v", text, err)
	}
}
