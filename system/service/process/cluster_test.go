//go:build unix

package process

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// clustered is a home with other nodes.
type clustered struct {
	*told
	events chan string
}

func (c clustered) SayHere(e *envelope.Envelope) { c.events <- "here " + string(e.Payload) }

func (c clustered) Will(key string, e *envelope.Envelope) {
	if e == nil {
		c.events <- "no will " + key
		return
	}
	c.events <- "will " + key + " " + string(e.Topic) + " " + string(e.Payload)
}

// others are the other nodes for one request.
type others struct{ events chan string }

func (others) Alone() bool { return false }

func (o others) Pass(e *envelope.Envelope) {
	if e == nil {
		o.events <- "passed"
		return
	}
	o.events <- fmt.Sprintf("passed %s %s", e.StatusCode, e.Payload)
}

func (o others) Refuse(e *envelope.Envelope) { o.events <- fmt.Sprintf("refused %s", e.StatusCode) }
func (o others) Share()                      { o.events <- "shared" }

func (o others) Gather(within time.Duration, take func([]service.Answer)) {
	o.events <- fmt.Sprintf("gathering for %s", within)
	go take([]service.Answer{{Node: "two", Topic: "gather", Status: 200, Payload: json.RawMessage(`[2]`)}})
}

// A service in a process is an instance in a cluster as one in the router is.
func TestCluster(t *testing.T) {
	home := clustered{newTold(), make(chan string, 100)}
	svc := mortal()
	svc.Everywhere = true
	log := &logged{}
	b, err := launch(Service(svc, Options{}), home, newLog(t, log))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	}()
	<-b.Began()
	asks := 0
	ask := func(topic string, part runner.Part) {
		asks++
		a := question(topic, fmt.Sprint(asks), "")
		a.Elsewhere, a.Part = others{home.events}, part
		b.Ask(a)
	}
	event := func(want string) {
		t.Helper()
		select {
		case got := <-home.events:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("%q does not come", want)
		}
	}
	answer := func(want string) {
		t.Helper()
		if e := home.answer(t); string(e.Payload) != want {
			t.Errorf("got %s %s, want %s", e.Topic, e.Payload, want)
		}
	}
	ask("pass", runner.Whole)
	event(`passed 404 {"reason":"not here"}`)
	ask("fail", runner.Shared)
	event(`passed`)
	ask("share", runner.Whole)
	answer("1")
	event("shared")
	ask("gather", runner.Whole)
	event("gathering for 2s")
	answer(`[{"Node":"two","Topic":"gather","Status":200,"Payload":[2]}]`)
	ask("gather", runner.Gathered) // a part is not gathered again
	answer(`null`)
	ask("part", runner.Gathered)
	answer(`[true,true]`)
	ask("will", runner.Whole)
	event(`will key "last" "words"`)
	event("no will key")
	event("here 1")
	answer("")
	log.await(t, "Will: key is empty")
	b.Joined()
	hears(t, home.told, `"joined"`)
	b.Reload()
	hears(t, home.told, `"reloaded"`)
	ask("exit", runner.Whole)
	answer("")
	hears(t, home.told, `"joined"`) // again, because it may have forgotten
}

// hears waits for a broadcast.
func hears(t *testing.T, home *told, topic string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-home.said:
			if e.ResourceID == nil && string(e.Topic) == topic {
				return
			}
		case <-late:
			t.Fatalf("%s is not broadcast", topic)
		}
	}
}
