package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"strowger/client/clienttest"
)

// TestLangClientOfTheDaemon has the daemon itself answer, refuse and end connections, and restart.
func TestLangClientOfTheDaemon(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		d := startDaemon(t, "")
		serveNumbers(t, d)
		lab := langLab(t, d.TokenDir, func() {
			d.stop(t)
			startDaemonAt(t, "", d.Addr, d.TokenDir)
		})
		p := l.play(t, "daemon", "ws://"+d.Addr+"/", lab, numbersName)
		p.want(`"hello"`, "status 418 sent", "timeout 0 sent", "too_big 0 not sent", "disconnected 1009 sent", `"again"`,
			`"short"`, "ended 4001", `"fresh"`, `"before"`, "ended 1001", `"after"`,
			"status 401 not sent", "timeout 0 not sent", "timeout 1006 not sent")
		p.done()
	})
}

// TestLangClientOnAFlakyNetwork has clients ask and listen while their connections are cut, stall and are left half open.
func TestLangClientOnAFlakyNetwork(t *testing.T) {
	const faults = 50
	for _, test := range []struct {
		name, settings string
		history        bool
		numbers        int64
	}{
		{"history", "policies: {lab_plain_service: {scopes: [{to: all}], history: {messages: 100000}}}\n", true, 12_000},
		{"no history", "", false, 2_500},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachLanguage(t, func(t *testing.T, l language) {
				d := startDaemon(t, "tokens: {reclaim: 5m}\n"+test.settings)
				n := serveNumbers(t, d)
				proxy := startFlaky(t, d.Addr)
				p := l.play(t, "flaky", "ws://"+proxy.addr+"/websockets/", langLab(t, d.TokenDir, nil), numbersName)
				broken, stop := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(broken)
					breakConnections(proxy, n, faults, test.numbers, stop)
				}()
				defer func() { close(stop); <-broken }()
				var report flakyReport
				line := p.next()
				if err := json.Unmarshal([]byte(line), &report); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				checkFlaky(t, n, &report, faults, true, test.history)
				if test.history && report.Called.Received < 10_000 {
					t.Errorf("only %d numbers came", report.Called.Received)
				}
				p.done()
			})
		})
	}
}

// TestLangPositions has a second process go on where the first one ended.
func TestLangPositions(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		d := startDaemon(t, "policies: {lab_plain_service: {scopes: [{to: all}], history: {messages: 100000}}}\n")
		serveNumbers(t, d)
		lab := langLab(t, d.TokenDir, nil)
		positions, last := "{}", 0
		for range 3 {
			p := l.play(t, "resume", "ws://"+d.Addr+"/", lab, numbersName, positions)
			for range 100 {
				line := p.next()
				number, err := strconv.Atoi(line)
				if err != nil || last > 0 && number != last+1 {
					t.Fatalf("got %q after %d", line, last)
				}
				last = number
			}
			positions = p.next()
			p.done()
		}
		// What is kept of another epoch does not follow, and that is said.
		p := l.play(t, "resume", "ws://"+d.Addr+"/", lab, numbersName, `{"`+numbersName+`":{"epoch":"other","offset":1}}`)
		if number, gap := 0, ""; true {
			if _, err := fmt.Sscan(p.next(), &number, &gap); err != nil || gap != "gap" {
				t.Errorf("no gap is told: %v", err)
			}
		}
	})
}

// TestLangClientAfterEachCloseCode has a router of the test's close connections with each code.
func TestLangClientAfterEachCloseCode(t *testing.T) {
	codes := closing()
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			eachLanguage(t, func(t *testing.T, l language) {
				router := clienttest.New(t)
				p := l.play(t, "code", router.URL, "")
				peer := router.Accept()
				peer.Login()
				if code != 1006 {
					peer.Frame(8, []byte{byte(code >> 8), byte(code)})
					if answer := peer.Closed(); len(answer) != 2 || int(answer[0])<<8|int(answer[1]) != code {
						t.Errorf("the client answers %x", answer)
					}
				}
				_ = peer.Conn.Close()
				want := fmt.Sprintf("closed protocol %d", code)
				if rule := codes[code]; rule.End == "back" {
					again := router.Accept()
					again.Login()
					again.Broadcast("lab", "back", nil)
					want = fmt.Sprintf("back %d", code)
					if rule.Later {
						want += " later"
					}
					if rule.Same {
						want += " same"
					}
				}
				p.want(want)
				p.done()
			})
		})
	}
}
