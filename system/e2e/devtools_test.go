package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// devtools is a page in a browser as its developers' tools see it. Its methods are for the test's
// own goroutine.
type devtools struct {
	t       *testing.T
	browser <-chan struct{} // closed when it is gone
	to      *os.File
	session string
	last    int
	answers chan *toolMessage
	loaded  chan struct{} // gets one when a page is there

	mu         sync.Mutex // Protects following.
	complaints []string   // of the page: errors in its console, exceptions, what could not be loaded
}

// toolMessage is an answer or an event; messages are JSON, each followed by a zero byte.
type toolMessage struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// openTools opens url in a browser of its own.
func openTools(t *testing.T, url string) *devtools {
	t.Helper()
	reads, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, writes, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	d := &devtools{t: t, to: to, answers: make(chan *toolMessage, 1), loaded: make(chan struct{}, 1)}
	d.browser = browse(t, "about:blank", reads, writes)
	// The browser has its own copies.
	if err := errors.Join(reads.Close(), writes.Close()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.read(bufio.NewReader(from))
	}()
	t.Cleanup(func() { // before the browser is ended
		_ = to.Close()
		_ = from.Close()
		<-ended
	})
	d.attach()
	for _, domain := range []string{"Runtime", "Log", "Page"} {
		d.call(domain+".enable", nil, nil)
	}
	d.load("Page.navigate", map[string]any{"url": url})
	return d
}

// reload loads the page anew.
func (d *devtools) reload() { d.load("Page.reload", nil) }

// load carries out a command that loads a page, and waits until it is there.
func (d *devtools) load(method string, params map[string]any) {
	d.t.Helper()
	d.call(method, params, nil)
	select {
	case <-d.loaded:
	case <-d.browser:
		d.t.Fatal("the browser ended")
	case <-time.After(deadline):
		d.t.Fatalf("%s %v: the page does not load", method, params)
	}
}

// attach finds the only page.
func (d *devtools) attach() {
	d.t.Helper()
	var targets struct {
		TargetInfos []struct{ TargetID, Type string } `json:"targetInfos"`
	}
	d.call("Target.getTargets", nil, &targets)
	for _, target := range targets.TargetInfos {
		if target.Type == "page" {
			var attached struct{ SessionID string }
			d.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
			d.session = attached.SessionID
			return
		}
	}
	d.t.Fatal("the browser has no page")
}

func (d *devtools) read(from *bufio.Reader) {
	for {
		text, err := from.ReadBytes(0)
		if err != nil {
			return // the test has ended, or the browser has, which the test sees
		}
		m := new(toolMessage)
		if err := json.Unmarshal(text[:len(text)-1], m); err != nil {
			d.complain(fmt.Sprintf("tools say %q: %v", text, err))
			continue
		}
		switch {
		case m.ID != 0:
			d.answers <- m
		case m.Method == "Page.loadEventFired":
			select {
			case d.loaded <- struct{}{}:
			default: // nobody waits for it
			}
		case isComplaint(m):
			d.complain(m.Method + ": " + string(m.Params))
		}
	}
}

func isComplaint(m *toolMessage) bool {
	var p struct {
		Type  string // of a call of the console
		Entry struct{ Level string }
	}
	// What is no object has neither.
	_ = json.Unmarshal(m.Params, &p)
	return m.Method == "Runtime.exceptionThrown" ||
		m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning" || p.Type == "assert") ||
		m.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning")
}

func (d *devtools) complain(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.complaints = append(d.complaints, text)
}

// call carries out one command and reads its result into what into points to, unless it is nil.
func (d *devtools) call(method string, params map[string]any, into any) {
	d.t.Helper()
	d.last++
	command := map[string]any{"id": d.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if d.session != "" {
		command["sessionId"] = d.session
	}
	text, err := json.Marshal(command)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.to.Write(append(text, 0)); err != nil {
		d.t.Fatalf("%s: %v", method, err)
	}
	select {
	case m := <-d.answers:
		if m.ID != d.last || m.Error != nil {
			d.t.Fatalf("%s: answer %d of %d, %+v", method, m.ID, d.last, m.Error)
		}
		if into != nil {
			if err := json.Unmarshal(m.Result, into); err != nil {
				d.t.Fatalf("%s: %v in %s", method, err, m.Result)
			}
		}
	case <-d.browser:
		d.t.Fatalf("%s: the browser ended", method)
	case <-time.After(3 * deadline): // a browser starts slowly on a busy machine
		d.t.Fatalf("%s: no answer", method)
	}
}

// eval runs a script in the page and returns its value, or what it promises.
func (d *devtools) eval(script string) any {
	d.t.Helper()
	var answer struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	d.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.ExceptionDetails != nil {
		d.t.Fatalf("%s: %s", script, answer.ExceptionDetails)
	}
	return answer.Result.Value
}

// await waits until a condition, a JavaScript expression, holds in the page.
func (d *devtools) await(condition string) {
	d.t.Helper()
	script := fmt.Sprintf(`new Promise((done) => {
		const late = Date.now() + %d;
		const look = () => { if (%s) done(true); else if (Date.now() > late) done(false); else setTimeout(look, 20); };
		look();
	})`, deadline.Milliseconds(), condition)
	if d.eval(script) != true {
		d.t.Fatalf("the page never comes to: %s\nit shows: %v", condition, d.eval("document.body.innerText"))
	}
}

// screen gives the page a width in CSS pixels, a colour scheme ("light" or "dark") and no animations.
func (d *devtools) screen(width int, scheme string) {
	d.t.Helper()
	d.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": false}, nil)
	d.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": scheme},
		{"name": "prefers-reduced-motion", "value": "reduce"},
	}}, nil)
}

// key is a key of the keyboard: its name, its number on Windows and what it types, if it does.
type key struct {
	name string
	code int
	text string
}

// press presses and releases a key.
func (d *devtools) press(k key) {
	d.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		d.call("Input.dispatchKeyEvent", map[string]any{
			"type": kind, "key": k.name, "code": k.name, "windowsVirtualKeyCode": k.code, "text": k.text,
		}, nil)
	}
}

// checkQuiet wants the page to have made no complaints.
func (d *devtools) checkQuiet() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.complaints) > 0 {
		d.t.Errorf("the page complains:\n%s", strings.Join(d.complaints, "\n"))
	}
}
