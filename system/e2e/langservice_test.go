package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/token"
)

// jsonText is v as the programs print it.
func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

const langName = "lab.lang"

// labClient connects a client to a daemon until t ends.
func labClient(t *testing.T, d *daemon, spec token.Spec) *client.Client {
	t.Helper()
	source := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(d.TokenDir, spec, token.JSON)
		return client.Token{Name: made.Name, Hash: made.Hash}, err
	}
	c, err := client.Dial(t.Context(), "ws://"+d.Addr+"/", source, client.Options{Reconnect: client.Reconnect{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLangService has a service answer, fail and broadcast, and come back after a restart of the daemon.
func TestLangService(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		d := startDaemon(t, "")
		p := l.play(t, "serve", "ws://"+d.Addr+"/", langLab(t, d.TokenDir, nil), langName)
		p.want("online")
		spec := token.Spec{UserName: "ada", Services: []string{langName}, DomainName: "a.example.com", Permissions: []string{"lab_see"}}
		c := labClient(t, d, spec)
		ticks := make(chan client.Message, 100)
		defer c.Listen(langName, func(m client.Message) {
			select {
			case ticks <- m:
			default:
			}
		})()
		ask := func() {
			t.Helper()
			for _, test := range []struct {
				topic   string
				payload any
				want    string
				status  int
			}{
				{"echo", "Zürich\n☀", jsonText("Zürich\n☀"), 200},
				{"echo", map[string]any{"a": []int{1, 2}}, `{"a":[1,2]}`, 200},
				{"who", nil, `["a.example.com",true,false]`, 200},
				{"refuse", nil, "", 418},
				{"break", nil, "", 500},
				{"no.such.topic", nil, "", 404},
			} {
				reply, err := c.Request(t.Context(), langName, test.topic, test.payload)
				refused := new(client.StatusError)
				switch {
				case errors.As(err, &refused):
					if refused.Code != test.status {
						t.Errorf("%s is refused with %d, want %d", test.topic, refused.Code, test.status)
					}
				case err != nil || string(reply.Payload) != test.want || test.status != 200:
					t.Errorf("%s: %+v, %v", test.topic, reply, err)
				}
			}
			p.want("error broken")
			if m := <-ticks; m.Topic != "tick" {
				t.Errorf("it broadcasts %+v", m)
			}
		}
		ask()
		d.stop(t)
		p.want("offline 1001")
		next := startDaemonAt(t, "", d.Addr, d.TokenDir)
		for line := p.next(); line != "online"; line = p.next() {
			if line != "offline 1006" { // it asked before the daemon was there
				t.Fatalf("it says %q", line)
			}
		}
		if err := next.Await(t.Context(), `"role":"client"`); err != nil {
			t.Fatal(err)
		}
		ask()
		p.terminate()
		p.want("left")
		p.done()
	})
}

// TestLangServiceRollingRestart replaces instances of a service one after the other, while a client asks. No request is lost.
func TestLangServiceRollingRestart(t *testing.T) {
	eachLanguage(t, func(t *testing.T, l language) {
		d := startDaemon(t, "routing: {instances: balanced}\n")
		lab := langLab(t, d.TokenDir, nil)
		start := func() *langPeer {
			p := l.play(t, "serve", "ws://"+d.Addr+"/", lab, langName)
			p.want("online")
			return p
		}
		old := []*langPeer{start(), start()}
		c := labClient(t, d, token.Spec{UserName: "ada"})
		var answered atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{}, 4)
		for range cap(ended) {
			go func() {
				defer func() { ended <- struct{}{} }()
				for ctx.Err() == nil {
					if _, err := c.Request(ctx, langName, "echo", 1); err != nil && ctx.Err() == nil {
						t.Errorf("request %d: %v", answered.Load(), err)
						return
					}
					answered.Add(1)
				}
			}()
		}
		for i := range 6 {
			next := start()
			before := answered.Load()
			eventuallyAnswered(t, &answered, before+100)
			old[i%2].terminate()
			old[i%2].want("left")
			old[i%2].done()
			old[i%2] = next
		}
		eventuallyAnswered(t, &answered, answered.Load()+100)
		cancel()
		for range cap(ended) {
			<-ended
		}
	})
}

func eventuallyAnswered(t *testing.T, answered *atomic.Int64, most int64) {
	t.Helper()
	for late := time.After(deadline); answered.Load() < most; {
		select {
		case <-late:
			t.Fatalf("%d requests were answered, want %d", answered.Load(), most)
		case <-time.After(time.Millisecond):
		}
	}
}
