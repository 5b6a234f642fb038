package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/service/remote"
	"strowger/system/token"
)

// reloadClients is how many clients a reload must not disturb; STROWGER_RELOAD_CLIENTS sets another number.
func reloadClients(t *testing.T) int {
	t.Helper()
	text := os.Getenv("STROWGER_RELOAD_CLIENTS")
	if text == "" {
		return 200
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("STROWGER_RELOAD_CLIENTS=%q: want a number such as 2000", text)
	}
	return n
}

// counting broadcasts the next number, from 0 on, whenever it is asked to, and echoes.
func counting() *service.Service {
	return &service.Service{Name: "counting", Setup: func(s service.Setup) error {
		n := 0
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.Handle("next", func(r service.Request) error {
			r.Broadcast("n", n)
			n++
			r.Reply(nil)
			return nil
		})
		return nil
	}}
}

// watcher is a client that hears all numbers and asks all the time.
type watcher struct {
	client *client.Client
	heard  chan<- struct{} // gets a value for each number that came

	mu    sync.Mutex // Protects following.
	next  int        // the number that must come
	wrong error
}

func (w *watcher) hear(m client.Message) {
	var n int
	if m.Topic != "n" {
		return
	}
	err := json.Unmarshal(m.Payload, &n)
	w.mu.Lock()
	if (err != nil || n != w.next || m.Missed > 0) && w.wrong == nil {
		w.wrong = fmt.Errorf("%s came in place of %d, %d missed, %v", m.Payload, w.next, m.Missed, err)
	}
	w.next++
	w.mu.Unlock()
	w.heard <- struct{}{}
}

// ask echoes numbers until ctx ends, and counts the answers.
func (w *watcher) ask(ctx context.Context, answers *atomic.Int64) error {
	for i := 0; ctx.Err() == nil; i++ {
		reply, err := w.client.Request(context.Background(), "counting", "echo", i)
		if err != nil {
			return err
		}
		if string(reply.Payload) != strconv.Itoa(i) {
			return fmt.Errorf("%s was echoed for %d", reply.Payload, i)
		}
		answers.Add(1)
	}
	return nil
}

// connect lets a client in that does not come back when it is disconnected, however long that takes on a busy machine.
func (r *reloadable) connect(spec token.Spec) *client.Client {
	r.t.Helper()
	source := func(context.Context) (client.Token, error) { return r.mint(spec) }
	c, err := client.Dial(r.t.Context(), "ws://"+r.Addr+"/", source, client.Options{ConnectTimeout: deadline, RequestTimeout: deadline, Reconnect: client.Reconnect{Disabled: true}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *reloadable) mint(spec token.Spec) (client.Token, error) {
	made, _, err := token.Create(r.TokenDir, spec, token.JSON)
	return client.Token{Name: made.Name, Hash: made.Hash}, err
}

// serve runs a service in this process until the test ends.
func (r *reloadable) serve(svc *service.Service) {
	r.t.Helper()
	source := func(context.Context) (client.Token, error) {
		return r.mint(token.Spec{Kind: token.Service, ServiceName: svc.Name, ServiceClass: "lab_plain_service"})
	}
	server, err := remote.New("ws://"+r.Addr+"/", source, svc, remote.Options{Client: client.Options{ConnectTimeout: deadline, Reconnect: client.Reconnect{Disabled: true}}})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	r.t.Cleanup(func() {
		select {
		case err := <-ended:
			r.t.Errorf("the service ended before it was told to: %v", err)
		default:
			cancel()
			<-ended // at its end it may find the router gone
		}
	})
}

// post has the settings read anew and wants a status.
func (r *reloadable) post(want int) {
	r.t.Helper()
	response, err := http.Post("http://"+r.admin+"/reload", "", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		r.t.Fatalf("%s, %v, want status %d: %s", response.Status, err, want, body)
	}
	if want == http.StatusOK && !bytes.Contains(body, []byte(`"key":"policies.lab_plain_service"`)) {
		r.t.Errorf("a reload has not changed the policies: %s", body)
	}
}

// settings returns those of reload i. Each changes the policy, limits and what needs a restart; every fifth is broken.
func settings(i int) (yaml string, broken bool) {
	scopes := fmt.Sprintf("[{permission: nobody_has_%d, to: all}, {to: all}]", i)
	yaml = fmt.Sprintf("limits: {depth: %d}\ntokens: {max_depth: %d}\npolicies: {lab_plain_service: {scopes: %s}}\n", 100+i, 64+i, scopes)
	if i%5 != 4 {
		return yaml, false
	}
	return []string{yaml + "limits: {", yaml + "limit: 1\n", strings.Replace(yaml, "to: all", "to: some", 1), yaml + "listen: {tls_certificate: /nonexistent, tls_key: /nonexistent}\n"}[i/5%4], true
}

// TestReloadUnderLoad reloads 100 times, with 20 broken files among them, while many clients hear and ask. Nobody
// loses a message or is disconnected, and all comes in order.
func TestReloadUnderLoad(t *testing.T) {
	clients := reloadClients(t)
	first, _ := settings(500)
	r := startReloadable(t, first)
	heard := make(chan struct{}, clients)
	watchers := make([]*watcher, clients)
	for i := range watchers {
		watchers[i] = &watcher{heard: heard}
		watchers[i].client = r.connect(token.Spec{Kind: token.User, Services: []string{"counting"}})
		watchers[i].client.Listen("counting", watchers[i].hear)
	}
	r.serve(counting())
	ask := watchers[0].client
	for ready := false; !ready; { // a request for a service that is not there yet has no answer
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := ask.Request(ctx, "counting", "echo", 0)
		cancel()
		ready = err == nil
	}

	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var answers atomic.Int64
	for _, w := range watchers {
		load.Go(func() {
			if err := w.ask(ctx, &answers); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
	}
	numbers := 0
	load.Go(func() {
		for ; ctx.Err() == nil; numbers++ {
			if _, err := ask.Request(context.Background(), "counting", "next", nil); err != nil {
				t.Errorf("next number: %v", err)
				return
			}
			late := time.After(deadline)
			for i := range clients {
				select {
				case <-heard:
				case <-late:
					t.Errorf("%d of %d clients have heard %d", i, clients, numbers)
					return
				}
			}
		}
	})
	good, broken := 0, 0
	for i := range 100 {
		yaml, wrong := settings(i)
		r.configure(yaml)
		if wrong {
			r.post(http.StatusUnprocessableEntity)
			broken++
		} else {
			r.post(http.StatusOK)
			good++
		}
	}
	cancel()
	load.Wait()
	for i, w := range watchers {
		w.mu.Lock()
		if w.wrong != nil || w.next != numbers {
			t.Errorf("client %d has heard %d of %d numbers: %v", i, w.next, numbers, w.wrong)
		}
		w.mu.Unlock()
		if state := w.client.State(); state != client.StateOnline {
			t.Errorf("client %d is %v", i, state)
		}
	}
	if good != 80 || broken != 20 || numbers == 0 || answers.Load() == 0 {
		t.Errorf("%d good reloads, %d broken ones, %d numbers, %d answers", good, broken, numbers, answers.Load())
	}
	t.Logf("%d clients, %d reloads, %d of them broken: each client heard %d numbers, all together got %d answers", clients, good+broken, broken, numbers, answers.Load())
}
