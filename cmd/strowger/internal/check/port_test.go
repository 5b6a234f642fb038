package check

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serve answers as admin pages.
func serve(t *testing.T, status int, body string) (address string) {
	t.Helper()
	l := listen(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return l.Addr().String()
}

const ready = `{"ready":true,"problems":[]}`

func ports(listen, admin string) string {
	return "listen: {address: '" + listen + "'}\nadmin: {address: '" + admin + "'}\n"
}

func TestNameOfTheRouter(t *testing.T) {
	for name, want := range map[string]bool{
		"/usr/bin/strowger serve":                true,
		"strowger-websockets serve --fusionpbx":  true,
		"/opt/strowger/nginx -g":                 false,
		"/tmp/strowger_check.test -test.timeout": false,
		"notstrowger":                            false,
	} {
		if got := (process{name: name}).strowger(); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
}

func TestFreePort(t *testing.T) {
	b := newBench(t, alone(t), "")
	f := b.check()
	f.want(ListenPort, Warning, "is free", "mend: strowger serve")
	f.want(AdminPages, Note, "nobody listens")
	f.without(RouterReady)
}

func TestPortOfTheRouter(t *testing.T) {
	b := newBench(t, ports(listen(t).Addr().String(), serve(t, http.StatusOK, ready)), "")
	f := b.check()
	f.want(ListenPort, OK, "held by the running router", fmt.Sprint("pid ", os.Getpid()))
	f.want(AdminPages, OK)
	f.want(RouterReady, OK)
}

func TestPortOfAnother(t *testing.T) {
	b := newBench(t, ports(listen(t).Addr().String(), freeAddress(t)), "")
	f := b.check()
	f.want(ListenPort, Error, "another program", "check.test", fmt.Sprint("pid ", os.Getpid()))
	f.want(AdminPages, Note, "another program has the port", "see listen.port")
}

// TestPortOfAnotherUser is about what only root can see: who holds a socket.
func TestPortOfAnotherUser(t *testing.T) {
	b := newBench(t, ports("127.0.0.1:8080", freeAddress(t)), "")
	b.o.Machine.Proc = ""
	line := "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  4242        0 777 1 0\n"
	b.write("proc/net/tcp", "  sl  local_address\n"+line)
	b.check().want(ListenPort, Note, "user 4242", "only root can see", "sudo strowger check")

	b.o.Config.Admin.Address = serve(t, http.StatusOK, ready)
	_, port, _ := net.SplitHostPort(b.o.Config.Admin.Address)
	var number int
	fmt.Sscan(port, &number)
	b.write("proc/net/tcp", line+strings.Replace(line, "1F90", fmt.Sprintf("%04X", number), 1))
	b.check().want(ListenPort, OK, "a strowger of that user answers")
}

// TestPortOfAUnit names the unit that is to be stopped.
func TestPortOfAUnit(t *testing.T) {
	for unit, mend := range map[string]string{"websockets": goOver, "other": "systemctl disable --now other"} {
		b := newBench(t, ports("127.0.0.1:8080", freeAddress(t)), "")
		b.o.Machine.Proc = ""
		b.write("proc/net/tcp6", "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 33 0 777 1 0\n")
		b.write("proc/12/cmdline", "/usr/bin/php\x00/var/www/websockets.php\x00")
		b.write("proc/12/cgroup", "0::/system.slice/"+unit+".service\n")
		if err := os.MkdirAll(filepath.Join(b.root, "proc/12/fd"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("socket:[777]", filepath.Join(b.root, "proc/12/fd/5")); err != nil {
			t.Fatal(err)
		}
		b.check().want(ListenPort, Error, "/usr/bin/php /var/www/websockets.php (pid 12)", mend)
	}
}

func TestAddressOfAnotherMachine(t *testing.T) {
	b := newBench(t, ports("192.0.2.1:8080", freeAddress(t)), "")
	b.check().want(ListenPort, Error, "cannot be listened on", "set listen.address", "strowger.yaml:1")
}

func TestAdminPages(t *testing.T) {
	b := newBench(t, ports(listen(t).Addr().String(), serve(t, http.StatusServiceUnavailable, `{"ready":false,"problems":[{"part":"tokens","reason":"no\ntoken"}]}`)), "")
	b.check().want(RouterReady, Error, "tokens: no token", "tokens.directory")

	b = newBench(t, ports(freeAddress(t), serve(t, http.StatusOK, "hello")), "")
	b.check().want(AdminPages, Error, "is taken by")

	b = newBench(t, "listen: {address: '"+freeAddress(t)+"'}\nadmin: {address: ''}\n", "")
	b.check().want(AdminPages, Note, "admin.address is empty")
}

// TestSilentAdminPages has somebody accept who never answers.
func TestSilentAdminPages(t *testing.T) {
	b := newBench(t, ports(freeAddress(t), listen(t).Addr().String()), "")
	b.o.Timeout = 50e6
	b.check().want(AdminPages, Error, "no answer within 50ms")
}

func TestSystemWithoutProc(t *testing.T) {
	b := newBench(t, ports(listen(t).Addr().String(), serve(t, http.StatusOK, ready)), "")
	b.o.Machine.Proc = filepath.Join(b.root, "none")
	b.check().want(ListenPort, OK, "does not tell")
	b.o.Config.Listen.Address = freeAddress(t)
	b.check().want(ListenPort, Warning, "is free")
}
