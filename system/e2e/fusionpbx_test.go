package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"strowger/client"
	"strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/database/databasetest"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
	"strowger/system/token"
)

const recordings = "../../testdata/fusionpbx"

// TestFusionPBX runs the daemon with FusionPBX's config.conf, a switch that plays recordings and, or not, a database. Eleven
// clients with tokens of their own get what the recordings' comparison says that they get.
func TestFusionPBX(t *testing.T) {
	// Without a database conferences are shown by their extension.
	t.Run("no database", func(t *testing.T) { testFusionPBX(t, "", names{}) })
	t.Run("database", func(t *testing.T) {
		server := databasetest.Start(t).Database()
		testFusionPBX(t, fmt.Sprintf("database.0.type = pgsql\ndatabase.0.host = %q\ndatabase.0.port = %d\ndatabase.0.name = %s\ndatabase.0.username = %s\ndatabase.0.password = \"%s\"\n",
			server.Host, server.Port, server.Name, server.Username, databasetest.Password), names{"3001@a.example.com": "Sales Standup", "3001@b.example.com": "B Standup"})
	})
}

func testFusionPBX(t *testing.T, settings string, conferenceNames names) {
	for name, build := range map[string]func(sw replay.Switch) *service.Service{
		"calls-two-domains":       newCalls,
		"calls-inbound-transfer":  newCalls,
		"calls-names":             newCalls,
		"panel-transfer-attended": newCalls,
		"conf-same-extension": func(sw replay.Switch) *service.Service {
			return conferences.New(conferences.Options{Events: sw.Events, Commands: sw.Commands, Database: conferenceNames})
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := replay.Play(t, replay.Load(t, recordings, name), replay.Options{}, build)
			sim, d := startSite(t, name, settings)
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			hearers := map[string]*hearer{}
			for client, spec := range want.Scenario.Clients {
				hearers[client] = join(t, ctx, d, want.Service.Name, spec)
			}
			if err := sim.Play(ctx); err != nil {
				t.Fatal(err)
			}
			for client, h := range hearers {
				h.check(ctx, client, want.Received(t, client))
			}
		})
	}
}

func newCalls(sw replay.Switch) *service.Service {
	return calls.New(calls.Options{Events: sw.Events, Commands: sw.Commands})
}

// names are the names of conferences, in place of a database.
type names map[string]string

func (n names) CachedConference(string, string) (database.Conference, bool) {
	return database.Conference{}, false
}

func (n names) Conference(_ context.Context, key, domain string) (database.Conference, error) {
	if name, ok := n[key+"@"+domain]; ok {
		return database.Conference{Name: name, Exists: true}, nil
	}
	return database.Conference{Name: key}, nil
}

// startSite starts a switch and a daemon that is connected to it and knows what calls and conferences there are.
func startSite(t *testing.T, recording, settings string) (*switchsim.Simulator, *daemon) {
	t.Helper()
	r, err := switchsim.Load(os.DirFS(recordings+"/corpus"), recording)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := switchsim.Start(r, switchsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	host, port, err := net.SplitHostPort(sim.Addr())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.conf")
	text := fmt.Sprintf("switch.event_socket.host = %s\nswitch.event_socket.port = %s\nswitch.event_socket.password = ClueCon\n%s", host, port, settings)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemonAt(t, "services: {operator_panel: php}\nconferences: {push_wait: 1m}\n", "127.0.0.1:0", t.TempDir(), "--fusionpbx="+file)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	// A service asks for its list when its events come.
	if err := sim.Await(ctx, func(commands []switchsim.Command) bool {
		asked := func(text string) bool {
			return slices.ContainsFunc(commands, func(c switchsim.Command) bool { return c.Text == text })
		}
		return asked("api show channels as json") && asked("api conference json_list")
	}); err != nil {
		t.Fatalf("the services did not ask the switch: %v", err)
	}
	return sim, d
}

// hearer keeps what one client hears of a service.
type hearer struct {
	t       *testing.T
	client  *client.Client
	service string

	mu    sync.Mutex // Protects following.
	heard []string
	grew  chan struct{} // closed and replaced with each message
}

// join connects a client with a token of its own.
func join(t *testing.T, ctx context.Context, d *daemon, name string, c replay.Client) *hearer {
	t.Helper()
	spec := token.Spec{Kind: token.User, DomainName: c.Domain, Services: []string{name}}
	for permission := range c.Permissions {
		spec.Permissions = append(spec.Permissions, permission)
	}
	for _, e := range c.Extensions {
		spec.Extensions = append(spec.Extensions, e.User+"@"+e.Context)
	}
	source := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(d.TokenDir, spec, token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	connected, err := client.Dial(ctx, "ws://"+d.Addr+"/", source, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connected.Close() })
	h := &hearer{t: t, client: connected, service: name, grew: make(chan struct{})}
	connected.Listen(name, h.hear)
	return h
}

func (h *hearer) hear(m client.Message) {
	if m.Topic == service.StateTopic {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, m.Topic+" "+string(m.Payload))
	close(h.grew)
	h.grew = make(chan struct{})
}

// check waits for as many messages as the client should hear, and for the answer to a question after them.
func (h *hearer) check(ctx context.Context, name string, want []string) {
	h.t.Helper()
	for {
		h.mu.Lock()
		n, grew := len(h.heard), h.grew
		h.mu.Unlock()
		if n >= len(want) {
			break
		}
		select {
		case <-grew:
		case <-ctx.Done():
			h.t.Fatalf("%s heard %d messages, want %d", name, n, len(want))
		}
	}
	if _, err := h.client.Request(ctx, h.service, "no such topic", nil); err == nil || ctx.Err() != nil {
		h.t.Errorf("%s asked for nothing: %v", name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	got := mask(h.t, h.heard)
	if want = mask(h.t, want); !slices.Equal(got, want) {
		h.t.Errorf("%s heard %d messages\n%s\nwant %d\n%s", name, len(got), strings.Join(got, "\n"), len(want), strings.Join(want, "\n"))
	}
}

// mask removes what the switch's list has of a new member: here the switch does not take the time that it took.
func mask(t *testing.T, messages []string) []string {
	t.Helper()
	var masked []string
	for _, m := range messages {
		topic, text, _ := strings.Cut(m, " ")
		var payload map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &payload); err != nil {
			t.Fatal(err)
		}
		if topic == "add_member" {
			delete(payload, "member")
			delete(payload, "member_count")
		}
		sorted, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		masked = append(masked, topic+" "+string(sorted))
	}
	return masked
}
