//go:build unix

package process

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"strowger/system/service"
)

// parentArgument makes the test binary a program that has a service in a process.
const parentArgument = "parent"

// directArgument is parentArgument for a program that does not call Main.
const directArgument = "direct"

// parentAlone prints the number of the child, has it do what the second argument says, and waits to be killed.
func parentAlone() int {
	home := newTold()
	b, err := launch(Service(mortal(), Options{}), home, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	<-b.Began()
	b.Ask(question("pid", "1", ""))
	for e := range home.said {
		if e.ResourceID == nil {
			continue
		}
		fmt.Println(string(e.Payload))
		b.Ask(question(os.Args[2], "", ""))
	}
	return 0
}

// The child ends with its parent, however the parent ends and whatever the child does.
func TestParentDies(t *testing.T) {
	topics := []string{"echo", "spin", "hang"}
	if runtime.GOOS == "linux" {
		topics = append(topics, "stopped")
	}
	for _, topic := range topics {
		t.Run(topic, func(t *testing.T) {
			parent, pid := startParent(t, parentArgument, topic)
			if topic == "stopped" {
				eventually(t, "the process is stopped", func() bool { return stoppedProcess(t, pid) })
			}
			endParent(t, parent, pid)
		})
	}
}

// A program need not call Main: its child comes to the same call of Service.
func TestWithoutMain(t *testing.T) {
	parent, pid := startParent(t, directArgument, "echo")
	if pid == parent.Process.Pid {
		t.Error("the service runs in its parent")
	}
	endParent(t, parent, pid)
}

// startParent starts a program that has a service in a process. It returns the number of that process.
func startParent(t *testing.T, args ...string) (parent *exec.Cmd, pid int) {
	t.Helper()
	parent = exec.Command(os.Args[0], args...)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &pid); err != nil {
		t.Fatal(err)
	}
	return parent, pid
}

// endParent kills the program, and waits until the service's process has ended, whoever reaps it.
func endParent(t *testing.T, parent *exec.Cmd, pid int) {
	t.Helper()
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "the process ends", func() bool { c := condition(t, pid); return c == "" || strings.HasPrefix(c, "Z") })
}

// A service of another name does not run in a child.
func TestOtherName(t *testing.T) {
	own = &inner{name: "other"}
	defer func() { own = nil }()
	if err := Service(&service.Service{Name: "this", Setup: echoing}, Options{}).Setup(nil); err == nil || !strings.Contains(err.Error(), `for service "other" alone`) {
		t.Errorf("its Setup says %v", err)
	}
	if Service(nil, Options{}) != nil {
		t.Error("there is a service for none")
	}
}
