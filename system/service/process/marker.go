package process

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// variable makes a process the child for a service. Its value is the numbers of the two pipes and the service's name.
const variable = "STROWGER_PROCESS"

// own is what this process is a child for, nil if it is none. It is found out before anything else runs, so that neither the
// program nor what it starts sees the variable.
var own = takeOver()

// inner is a service in the child.
type inner struct {
	name    string
	in, out *os.File
}

func takeOver() *inner {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return nil
	}
	_ = os.Unsetenv(variable)
	words := strings.SplitN(value, " ", 3)
	if len(words) < 3 {
		return nil
	}
	in, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil {
		return nil
	}
	out, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		return nil
	}
	o := &inner{name: words[2], in: inherited(uintptr(in), "from parent"), out: inherited(uintptr(out), "to parent")}
	shed()
	return o
}

// mark makes the command that of a child. In and out are numbers of pipes in the child.
func mark(cmd *exec.Cmd, in, out uintptr, name string) {
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d %d %s", variable, in, out, name))
}

// usual are the variables that programs need to find their way, and those of Go's runtime.
var usual = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "ZONEINFO", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GODEBUG", "GOGC", "GOMAXPROCS", "GORACE", "GOTRACEBACK", "GOCOVERDIR",
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
}

// environment returns the child's environment.
func environment(o Options) []string {
	var all []string
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		upper := strings.ToUpper(name)
		if slices.Contains(usual, upper) || strings.HasPrefix(name, "LC_") || slices.Contains(o.Env, name) {
			all = append(all, line)
		}
	}
	for _, entry := range o.Env {
		if strings.Contains(entry, "=") {
			all = append(all, entry)
		}
	}
	if o.Memory > 0 {
		all = append(all, "GOMEMLIMIT="+strconv.FormatInt(o.Memory/4*3, 10))
	}
	return all
}
