package system

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"strowger/config/policy"
	activecalls "strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/link"
	operatorpanel "strowger/system/fusionpbx/panel"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/internal/cluster"
	"strowger/system/internal/cluster/membus"
	"strowger/system/service"
	"strowger/system/token"
)

// The calls and rooms of the switches. One ends in the number of its node.
const (
	callOfNode   = "aaaaaaaa-0000-4000-8000-00000000000%d"
	foreignCall  = "bbbbbbbb-0000-4000-8000-00000000000%d"
	memberOfNode = "cccccccc-0000-4000-8000-00000000000%d"
	nobodysCall  = "dddddddd-0000-4000-8000-000000000000"
)

// fusionNode is a node of a cluster with a switch of its own.
type fusionNode struct {
	*System
	name  string
	sw    *switchsim.Simulator // nil: it has none, and no services
	links *cluster.Links
	stop  func()
}

// site is the database that all nodes of a cluster have.
type site struct {
	domains
	changes []string
}

func (s *site) Extensions(_ context.Context, domain string) ([]database.Extension, error) {
	if domain != "a.example.com" {
		return nil, nil
	}
	return []database.Extension{{UUID: "e-1000", Number: "1000", Enabled: true}, {UUID: "e-1001", Number: "1001", Enabled: true}, {UUID: "e-1009", Number: "1009", Enabled: true}}, nil
}

func (s *site) Queues(context.Context, string) ([]database.Queue, error) {
	return []database.Queue{{Name: "support", Extension: "5000"}}, nil
}

func (s *site) SetUserStatus(_ context.Context, _ database.Asker, user, status string) error {
	return s.change("user " + user + " " + status)
}

func (s *site) SetAgentStatus(_ context.Context, _ database.Asker, agent, status string) error {
	return s.change("agent " + agent + " " + status)
}

func (s *site) change(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, what)
	return nil
}

// taken returns the changes until now, and forgets them.
func (s *site) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.changes
	s.changes = nil
	return changes
}

// fusionCluster starts nodes 1, 2 and so on, and after them one without a switch.
func fusionCluster(t *testing.T, bus *membus.Bus, switches int) []*fusionNode {
	t.Helper()
	return fusionClusterWith(t, bus, switches, new(site))
}

func fusionClusterWith(t *testing.T, bus *membus.Bus, switches int, db *site) []*fusionNode {
	t.Helper()
	var nodes []*fusionNode
	for n := range switches + 1 {
		number := n + 1
		if n == switches {
			number = 0
		}
		nodes = append(nodes, startFusionNode(t, bus, number, db))
	}
	for _, n := range nodes {
		n.await(t)
	}
	return nodes
}

func startFusionNode(t *testing.T, bus *membus.Bus, number int, db *site) *fusionNode {
	t.Helper()
	n := &fusionNode{name: fmt.Sprintf("node%d", number)}
	lines := new(journal)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s:\n%s", n.name, lines.text())
		}
	})
	o := Options{Config: testConfig(t), Log: slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	var list []*service.Service
	if number > 0 {
		n.sw = switchOf(t, number)
		sw, err := link.New(eventsocket.Options{Address: n.sw.Addr(), Password: "ClueCon"})
		if err != nil {
			t.Fatal(err)
		}
		o.Switch = sw
		at := event.Node(n.name)
		list = append(list,
			activecalls.New(activecalls.Options{Events: sw.Events, Commands: sw.Commands, Node: at}),
			conferences.New(conferences.Options{Events: sw.Events, Commands: sw.Commands, Node: at}),
			operatorpanel.New(operatorpanel.Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: 20 * time.Millisecond, Node: at}))
	}
	s, err := New(o, list...)
	if err != nil {
		t.Fatal(err)
	}
	n.System = s
	n.links, err = cluster.New(cluster.Options{Conn: bus.Connect(n.name), Cluster: "test", Name: n.name, Deps: s.deps})
	if err != nil {
		t.Fatal(err)
	}
	s.deps.Cluster = n.links
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	<-s.rooted
	if err := n.links.Start(s.way); err != nil {
		t.Fatal(err)
	}
	stopped := false
	n.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		n.links.Stop(ctx)
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(n.stop)
	return n
}

// await returns when the node knows the others, and its services what is at their switch.
func (n *fusionNode) await(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := n.links.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	if n.sw == nil {
		return
	}
	// A command means that the connection for commands is there.
	if err := n.sw.Await(ctx, func(all []switchsim.Command) bool {
		return slices.ContainsFunc(all, func(c switchsim.Command) bool { return strings.Contains(c.Text, "show channels") })
	}); err != nil {
		t.Fatal(err)
	}
}

// commands returns what the switch was told to do, without what it was asked.
func (n *fusionNode) commands() []string {
	if n.sw == nil {
		return nil
	}
	var found []string
	for _, c := range n.sw.Commands() {
		text := strings.TrimPrefix(strings.TrimPrefix(c.Text, "bgapi "), "api ")
		for _, verb := range []string{"uuid_kill", "uuid_transfer", "uuid_record", "originate", "conference '", "conference 3", "callcenter_config agent"} {
			if strings.HasPrefix(text, verb) && !strings.HasSuffix(text, "json_list") {
				found = append(found, text)
			}
		}
	}
	return found
}

// switchOf is a switch with a call of each of two domains, a room with a member, a parked call and a phone.
func switchOf(t *testing.T, number int) *switchsim.Simulator {
	t.Helper()
	mine, foreign, member := fmt.Sprintf(callOfNode, number), fmt.Sprintf(foreignCall, number), fmt.Sprintf(memberOfNode, number)
	call := func(uuid, domain string) string {
		return fmt.Sprintf(`{"uuid":%q,"callstate":"ACTIVE","context":%q,"presence_id":"100%d@%s","created_epoch":"1767225600"}`, uuid, domain, number, domain)
	}
	room := fmt.Sprintf(`{"conference_name":"300%d@a.example.com","conference_uuid":"x","member_count":1,"members":[{"id":7,"uuid":%q,"caller_id_name":"m","flags":{"can_hear":true,"can_speak":true}}]}`, number, member)
	lot := fmt.Sprintf(`<lots><lot name="park@a.example.com"><extension uuid=%q>590%d</extension></lot></lots>`, mine, number)
	answers := map[string]string{
		"show channels as json":                                           fmt.Sprintf(`{"row_count":2,"rows":[%s,%s]}`, call(mine, "a.example.com"), call(foreign, "b.example.com")),
		"conference json_list":                                            "[" + room + "]",
		"show registrations as json":                                      fmt.Sprintf(`{"row_count":2,"rows":[{"reg_user":"1000","realm":"a.example.com"},{"reg_user":"100%d","realm":"a.example.com"}]}`, number),
		"valet_info park@a.example.com":                                   lot,
		fmt.Sprintf("conference 300%d@a.example.com json_list", number):   "[" + room + "]",
		fmt.Sprintf("conference '300%d@a.example.com' json_list", number): "[" + room + "]",
		fmt.Sprintf("conference '300%d@a.example.com' mute 7", number):    "+OK mute 7\n",
		fmt.Sprintf("conference 300%d@a.example.com mute 7", number):      "+OK mute 7\n",
		"callcenter_config queue list agents 5000@a.example.com":          fmt.Sprintf("name|status|state\nagent%d|Available|Waiting\n+OK\n", number),
		"uuid_buglist " + mine:                                            "<media-bugs><function>session_record</function></media-bugs>\n",
	}
	recording, err := switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: nil}}, "x")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := switchsim.Start(recording, switchsim.Options{Faults: switchsim.Faults{Answer: func(command string) (string, bool) {
		text, ok := answers[command]
		return text, ok
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

// operatorOf may do everything in one domain, and watches services.
func operatorOf(domain string, more ...string) token.Spec {
	spec := operator(domain)
	spec.Permissions = append(append(spec.Permissions, "conference_interactive_view", "conference_interactive_mute", "conference_interactive_kick"), more...)
	return spec
}

// ask sends the request 1 and reads so many answers. Then it sends one that every instance looks at, so that whatever else
// an instance has to say to the first comes before the answer to the second. It returns the messages with the id of the first.
func (p *peer) ask(service, topic, payload string, answers int) []reading {
	p.t.Helper()
	p.sendf(`{"service":%q,"topic":%q,"request_id":"1","payload":%s}`, service, topic, payload)
	var got []reading
	for {
		e := p.next()
		switch string(e.RequestID) {
		case `"1"`:
			if got = append(got, e); len(got) == answers {
				p.sendFence(service)
			}
		case `"2"`:
			return got
		}
	}
}

// sendFence sends the request 2, which every instance looks at.
func (p *peer) sendFence(service string) {
	p.t.Helper()
	switch service {
	case policy.ActiveCalls:
		p.sendf(`{"service":%q,"topic":"hangup","request_id":"2","payload":{"unique_id":%q}}`, service, nobodysCall)
	case policy.ActiveConferences:
		p.sendf(`{"service":%q,"topic":"action","request_id":"2","payload":{"action":"kick","conference_name":"9999@a.example.com","member_id":"1","uuid":%q}}`, service, nobodysCall)
	default:
		p.sendf(`{"service":%q,"topic":"action","request_id":"2","payload":{"action":"hangup","uuid":%q}}`, service, nobodysCall)
	}
}

// rows returns the UUIDs of calls with the node that each names, in order.
func rows(t *testing.T, list []reading) []string {
	t.Helper()
	var found []string
	for _, e := range list {
		var row struct {
			UUID string `json:"unique_id"`
			Node string `json:"node_name"`
		}
		if err := json.Unmarshal(e.Payload, &row); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		found = append(found, strings.TrimSpace(row.UUID+" "+row.Node))
	}
	slices.Sort(found)
	return found
}

func callsOf(numbers ...int) []string {
	var found []string
	for _, n := range numbers {
		found = append(found, fmt.Sprintf(callOfNode, n))
	}
	return found
}

// TestClusterCalls has a page at each node see the calls of all, and hang up at the one that has the call.
func TestClusterCalls(t *testing.T) {
	nodes := fusionCluster(t, membus.New(1), 2)
	for _, at := range nodes {
		t.Run("page at "+at.name, func(t *testing.T) {
			p := join(t, at.System, operatorOf("a.example.com"))
			if got, want := rows(t, p.ask(policy.ActiveCalls, "in.progress", `{}`, 2)), callsOf(1, 2); !slices.Equal(got, want) {
				t.Errorf("the page shows %q, want %q", got, want)
			}
			named := join(t, at.System, operatorOf("a.example.com", "cluster_node_view"))
			want := []string{fmt.Sprintf(callOfNode, 1) + " node1", fmt.Sprintf(callOfNode, 2) + " node2"}
			if got := rows(t, named.ask(policy.ActiveCalls, "in.progress", `{}`, 2)); !slices.Equal(got, want) {
				t.Errorf("a page that sees nodes shows %q, want %q", got, want)
			}
			b := join(t, at.System, operatorOf("b.example.com"))
			if got, want := rows(t, b.ask(policy.ActiveCalls, "in.progress", `{}`, 2)), []string{fmt.Sprintf(foreignCall, 1), fmt.Sprintf(foreignCall, 2)}; !slices.Equal(got, want) {
				t.Errorf("the other domain's page shows %q, want %q", got, want)
			}
		})
	}
	for _, at := range nodes {
		p := join(t, at.System, operatorOf("a.example.com"))
		for _, test := range []struct{ uuid, want string }{
			{fmt.Sprintf(callOfNode, 1), `200 active.calls/hangup #"1" "+OK"`},
			{fmt.Sprintf(callOfNode, 2), `200 active.calls/hangup #"1" "+OK"`},
			{"ffffffff-0000-4000-8000-000000000000", `200 active.calls/hangup #"1" "-ERR No such channel!"`},
			{fmt.Sprintf(foreignCall, 1), `403 active.calls/hangup #"1" {"reason":"the call is not of your domain"}`},
			{fmt.Sprintf(foreignCall, 2), `403 active.calls/hangup #"1" {"reason":"the call is not of your domain"}`},
			{"nonsense", `400 active.calls/hangup #"1" {"reason":"unique_id is not a UUID"}`},
		} {
			got := p.ask(policy.ActiveCalls, "hangup", fmt.Sprintf(`{"unique_id":%q}`, test.uuid), 1)
			if len(got) != 1 || got[0].String() != test.want {
				t.Errorf("hangup of %s at %s: got %s, want %s", test.uuid, at.name, got, test.want)
			}
		}
	}
	for n, at := range nodes[:2] {
		kill := "uuid_kill " + fmt.Sprintf(callOfNode, n+1)
		if got, want := at.commands(), []string{kill, kill, kill}; !slices.Equal(got, want) {
			t.Errorf("the switch of %s was told %q, want %q", at.name, got, want)
		}
	}
}

// TestClusterSupervisor has somebody who sees all domains hang up at the other node: no switch is told but the one that
// has the call.
func TestClusterSupervisor(t *testing.T) {
	nodes := fusionCluster(t, membus.New(1), 2)
	p := join(t, nodes[0].System, operatorOf("a.example.com", "call_active_all"))
	got := p.ask(policy.ActiveCalls, "hangup", fmt.Sprintf(`{"unique_id":%q}`, fmt.Sprintf(foreignCall, 2)), 1)
	if len(got) != 1 || string(got[0].Payload) != `"+OK"` {
		t.Errorf("got %s", got)
	}
	if first, second := nodes[0].commands(), nodes[1].commands(); len(first) != 0 || len(second) != 1 {
		t.Errorf("the switches were told %q and %q, want the second one command", first, second)
	}
}

// watcher is a page that shows calls by what is broadcast.
type watcher struct {
	*peer
	shown, ended map[string]bool
}

func watch(t *testing.T, at *fusionNode, services ...string) *watcher {
	t.Helper()
	spec := operatorOf("a.example.com")
	spec.Services = services
	return &watcher{join(t, at.System, spec), map[string]bool{}, map[string]bool{}}
}

// until reads until the page shows the call, or does not.
func (w *watcher) until(uuid string, shows bool) {
	w.t.Helper()
	for w.shown[uuid] != shows {
		e := w.next()
		var row struct {
			UUID   string `json:"unique_id"`
			Answer string `json:"answer_state"`
		}
		if json.Unmarshal(e.Payload, &row) != nil || row.UUID == "" {
			continue
		}
		if row.Answer == "hangup" {
			delete(w.shown, row.UUID)
			w.ended[row.UUID] = true
			continue
		}
		w.shown[row.UUID] = true
	}
}

// TestClusterNodeIsLost has a page see the calls of a node end when the node is lost, and see them again when it is back.
func TestClusterNodeIsLost(t *testing.T) {
	for _, name := range []string{policy.ActiveCalls, policy.OperatorPanel} {
		t.Run(name, func(t *testing.T) {
			bus := membus.New(1)
			nodes := fusionCluster(t, bus, 2)
			w, second := watch(t, nodes[0], name), fmt.Sprintf(callOfNode, 2)
			w.until(second, true)
			bus.Cut("node2", "node1")
			w.until(second, false)
			bus.Heal("node2", "node1")
			w.until(second, true)
			nodes[1].stop()
			w.until(second, false)
			if w.ended[fmt.Sprintf(callOfNode, 1)] {
				t.Error("a call of the node that is there has ended")
			}
			if foreign := fmt.Sprintf(foreignCall, 2); w.shown[foreign] || w.ended[foreign] {
				t.Error("the page is told of the other domain's call")
			}
		})
	}
}

// act asks for an action of the panel and returns its one answer.
func (p *peer) act(payload string) string {
	p.t.Helper()
	got := p.ask(policy.OperatorPanel, "action", payload, 1)
	if len(got) != 1 {
		p.t.Errorf("%s: %d answers: %s", payload, len(got), got)
	}
	return fmt.Sprintf("%s %s", got[0].Code, got[0].Payload)
}

// TestClusterPanel has a panel at each node show what is at all switches, and act at the one that it is about.
func TestClusterPanel(t *testing.T) {
	nodes := fusionCluster(t, membus.New(1), 2)
	for _, at := range nodes {
		t.Run("panel at "+at.name, func(t *testing.T) {
			p := join(t, at.System, operatorOf("a.example.com", "cluster_node_view"))
			testPanelLists(t, p)
			testPanelStates(t, p)
		})
	}
	before := []int{len(nodes[0].commands()), len(nodes[1].commands())}
	for _, at := range nodes {
		p := join(t, at.System, operatorOf("a.example.com"))
		for number := 1; number <= 2; number++ {
			uuid := fmt.Sprintf(callOfNode, number)
			for _, test := range []struct{ payload, want string }{
				{`{"action":"hangup","uuid":"` + uuid + `"}`, `200 {"success":true,"message":"Call terminated"}`},
				{`{"action":"transfer","destination":"1001","uuid":"` + uuid + `"}`, `200 {"success":true,"message":"Call transferred"}`},
				{fmt.Sprintf(`{"action":"mute","member_id":"7","conference_name":"300%d@a.example.com"}`, number), `200 {"success":true,"message":"Conference member updated"}`},
			} {
				if got := p.act(test.payload); got != test.want {
					t.Errorf("%s at %s: got %s, want %s", test.payload, at.name, got, test.want)
				}
			}
		}
		for _, test := range []struct{ payload, want string }{
			{`{"action":"hangup","uuid":"ffffffff-0000-4000-8000-000000000000"}`, `200 {"success":true,"message":"Call terminated"}`},
			{`{"action":"transfer","destination":"1001","uuid":"ffffffff-0000-4000-8000-000000000000"}`, `400 {"success":false,"message":"No such channel"}`},
			{`{"action":"hangup","uuid":"` + fmt.Sprintf(foreignCall, 2) + `"}`, `400 {"success":false,"message":"The call is not of your domain"}`},
			{`{"action":"mute","member_id":"7","conference_name":"9999@a.example.com"}`, `400 {"success":false,"message":"-ERR Conference 9999@a.example.com not found"}`},
			{`{"action":"nonsense"}`, `400 {"success":false,"message":"Invalid action: nonsense"}`},
		} {
			if got := p.act(test.payload); got != test.want {
				t.Errorf("%s at %s: got %s, want %s", test.payload, at.name, got, test.want)
			}
		}
	}
	for n, at := range nodes[:2] {
		uuid := fmt.Sprintf(callOfNode, n+1)
		once := []string{"uuid_kill " + uuid, "uuid_transfer " + uuid + " 1001 XML a.example.com", fmt.Sprintf("conference '300%d@a.example.com' mute 7", n+1)}
		want := slices.Concat(once, once, once)
		if got := at.commands()[before[n]:]; !slices.Equal(got, want) {
			t.Errorf("the switch of %s was told %q, want %q", at.name, got, want)
		}
	}
}

// testPanelLists wants one list of each kind, and all else as pushes after it: a second list would take the place of the first.
func testPanelLists(t *testing.T, p *peer) {
	t.Helper()
	got := p.ask(policy.OperatorPanel, "calls_active", `{}`, 2)
	if len(got) != 2 || got[0].Topic != "calls_active" || got[1].Topic != "channel_callstate" {
		t.Fatalf("calls: %s", got)
	}
	var first []json.RawMessage
	if err := json.Unmarshal(got[0].Payload, &first); err != nil || len(first) != 1 {
		t.Fatalf("first list of calls: %s, %v", got[0].Payload, err)
	}
	shown := rows(t, []reading{{Payload: first[0]}, got[1]})
	if want := []string{fmt.Sprintf(callOfNode, 1) + " node1", fmt.Sprintf(callOfNode, 2) + " node2"}; !slices.Equal(shown, want) {
		t.Errorf("the panel shows %q, want %q", shown, want)
	}
	got = p.ask(policy.OperatorPanel, "conferences_active", `{}`, 2)
	if len(got) != 2 || got[0].Topic != "conferences_active" || got[1].Topic != "add_member" {
		t.Fatalf("conferences: %s", got)
	}
	both := string(got[0].Payload) + string(got[1].Payload)
	for _, want := range []string{"3001@a.example.com", "3002@a.example.com", `"node_name":"node1"`, `"node_name":"node2"`} {
		if strings.Count(both, want) != 1 {
			t.Errorf("conferences: %s, want %s once", both, want)
		}
	}
}

// testPanelStates wants one answer with what all nodes know.
func testPanelStates(t *testing.T, p *peer) {
	t.Helper()
	parked := p.ask(policy.OperatorPanel, "parked_active", `{}`, 1)
	if len(parked) != 1 {
		t.Fatalf("parked calls: %s", parked)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(parked[0].Payload, &list); err != nil || len(list) != 2 {
		t.Fatalf("parked calls: %s, %v", parked[0].Payload, err)
	}
	if got := rows(t, []reading{{Payload: list[0]}, {Payload: list[1]}}); !slices.Equal(got, []string{fmt.Sprintf(callOfNode, 1) + " node1", fmt.Sprintf(callOfNode, 2) + " node2"}) {
		t.Errorf("parked calls: %q", got)
	}
	for payload, want := range map[string]string{
		`{"action":"registrations_state","domain_name":"a.example.com"}`: `200 {"success":true,"message":"Registrations state updated","states":{"1000":2,"1001":1,"1002":1}}`,
		fmt.Sprintf(`{"action":"recording_state","uuids":[%q,%q,"ffffffff-0000-4000-8000-000000000000",%q]}`,
			fmt.Sprintf(callOfNode, 1), fmt.Sprintf(callOfNode, 2), fmt.Sprintf(foreignCall, 2)): fmt.Sprintf(
			`200 {"success":true,"message":"Recording state updated","states":{%q:true,%q:true,%q:false,"ffffffff-0000-4000-8000-000000000000":false}}`,
			fmt.Sprintf(callOfNode, 1), fmt.Sprintf(callOfNode, 2), fmt.Sprintf(foreignCall, 2)),
	} {
		if got := p.act(payload); got != want {
			t.Errorf("%s: got %s, want %s", payload, got, want)
		}
	}
	if got := p.ask(policy.OperatorPanel, "ping", `{}`, 1); len(got) != 1 || got[0].Topic != "pong" {
		t.Errorf("ping: %s", got)
	}
}

// TestClusterConferences has the pages of conferences show those of all nodes, and act at the one that has the member.
func TestClusterConferences(t *testing.T) {
	nodes := fusionCluster(t, membus.New(1), 2)
	for _, at := range nodes {
		p := join(t, at.System, operatorOf("a.example.com"))
		got := p.ask(policy.ActiveConferences, "in_progress", `{"domain_name":"a.example.com"}`, 2)
		if len(got) != 2 || got[0].Topic != "in_progress" || got[1].Topic != "add_member" {
			t.Fatalf("list at %s: %s", at.name, got)
		}
		both := string(got[0].Payload) + string(got[1].Payload)
		if !strings.Contains(both, "3001@a.example.com") || !strings.Contains(both, "3002@a.example.com") || strings.Contains(both, "node_name") {
			t.Errorf("list at %s: %s", at.name, both)
		}
		for number := 1; number <= 2; number++ {
			got := p.ask(policy.ActiveConferences, "in_progress", fmt.Sprintf(`{"uuid":"300%d","domain_name":"a.example.com"}`, number), 1)
			if len(got) != 1 || got[0].Topic != "in_progress" || !strings.Contains(string(got[0].Payload), fmt.Sprintf(memberOfNode, number)) {
				t.Errorf("room %d at %s: %s", number, at.name, got)
			}
			act := fmt.Sprintf(`{"action":"%%s","conference_name":"300%d@a.example.com","domain_name":"a.example.com","member_id":"7","uuid":%q}`, number, fmt.Sprintf(memberOfNode, number))
			for _, action := range []string{"mute", "kick"} {
				got := p.ask(policy.ActiveConferences, "action", fmt.Sprintf(act, action), 1)
				if want := `200 active.conferences/action_response #"1" {"success":true,"message":"Action executed"}`; len(got) != 1 || got[0].String() != want {
					t.Errorf("%s in room %d at %s: got %s, want %s", action, number, at.name, got, want)
				}
			}
		}
		for payload, want := range map[string]string{
			`{"uuid":"9999","domain_name":"a.example.com"}`: `"conference_name":"9999@a.example.com"`,
		} {
			got := p.ask(policy.ActiveConferences, "in_progress", payload, 1)
			if len(got) != 1 || !strings.Contains(string(got[0].Payload), want) {
				t.Errorf("%s at %s: got %s, want %s", payload, at.name, got, want)
			}
		}
		got = p.ask(policy.ActiveConferences, "action", `{"action":"kick","conference_name":"3002@a.example.com","member_id":"7","uuid":"`+nobodysCall+`"}`, 1)
		if want := `400 active.conferences/action_response #"1" {"success":false,"message":"The member is not in the conference"}`; len(got) != 1 || got[0].String() != want {
			t.Errorf("kick of nobody at %s: got %s, want %s", at.name, got, want)
		}
	}
	for n, at := range nodes[:2] {
		kills := 0
		for _, c := range at.commands() {
			if strings.Contains(c, fmt.Sprintf("300%d@", 2-n)) || strings.Contains(c, fmt.Sprintf(memberOfNode, 2-n)) {
				t.Errorf("the switch of %s was told %q", at.name, c)
			}
			if c == "uuid_kill "+fmt.Sprintf(memberOfNode, n+1) {
				kills++
			}
		}
		if kills != len(nodes) {
			t.Errorf("the switch of %s ended the call of its member %d times, want %d", at.name, kills, len(nodes))
		}
	}
}

// TestClusterDatabase has what is in the database that all nodes have on the page once, and changed once. The agents are
// those that the switch of the page's own node knows; a change of one is made in every switch.
func TestClusterDatabase(t *testing.T) {
	db := new(site)
	nodes := fusionClusterWith(t, membus.New(1), 2, db)
	for n, at := range nodes {
		p := join(t, at.System, operatorOf("a.example.com"))
		got := p.ask(policy.OperatorPanel, "extensions_active", `{}`, 1)
		var rows []struct {
			Number string `json:"extension"`
			Phones int    `json:"registration_count"`
		}
		if err := json.Unmarshal(got[0].Payload, &rows); err != nil || len(got) != 1 {
			t.Fatalf("extensions at %s: %s, %v", at.name, got, err)
		}
		if text := fmt.Sprint(rows); text != "[{1000 2} {1001 1} {1009 0}]" {
			t.Errorf("extensions at %s: %s", at.name, text)
		}
		got = p.ask(policy.OperatorPanel, "agents_active", `{}`, 1)
		if len(got) != 1 || strings.Count(string(got[0].Payload), "agent_name") != 1 || at.sw != nil && !strings.Contains(string(got[0].Payload), fmt.Sprintf("agent%d", n+1)) {
			t.Errorf("agents at %s: %s", at.name, got)
		}
		before := []int{len(nodes[0].commands()), len(nodes[1].commands())}
		if got, want := p.act(`{"action":"agent_status","agent_name":"agent1","status":"On Break"}`), `200 {"success":true,"message":"Agent status updated"}`; got != want {
			t.Errorf("agent_status at %s: got %s, want %s", at.name, got, want)
		}
		if got, want := p.act(`{"action":"user_status","user_uuid":"u","status":"Available"}`), `200 {"success":true,"message":"Status updated"}`; got != want {
			t.Errorf("user_status at %s: got %s, want %s", at.name, got, want)
		}
		if got, want := db.taken(), []string{"agent agent1 On Break", "user u Available"}; !slices.Equal(got, want) {
			t.Errorf("changes of the database by %s: got %q, want %q", at.name, got, want)
		}
		for i, sw := range nodes[:2] {
			if got, want := sw.commands()[before[i]:], []string{"callcenter_config agent set status agent1 'On Break'"}; !slices.Equal(got, want) {
				t.Errorf("the switch of %s was told %q by %s, want %q", sw.name, got, at.name, want)
			}
		}
	}
	for n, at := range nodes[:2] {
		w := watch(t, at, policy.OperatorPanel)
		w.sendf(`{"service":%q,"topic":"agents_active","request_id":"1"}`, policy.OperatorPanel)
		for pushes := 0; pushes < 5; {
			if e := w.next(); e.Topic == "agent_stats" {
				pushes++
				if !strings.Contains(string(e.Payload), fmt.Sprintf("agent%d", n+1)) {
					t.Fatalf("a page at %s was told %s", at.name, e)
				}
			}
		}
	}
}

// TestClusterConferencesEndWithTheirNode has a page see the conferences of a node end when the node is lost, and no others.
func TestClusterConferencesEndWithTheirNode(t *testing.T) {
	for _, name := range []string{policy.ActiveConferences, policy.OperatorPanel} {
		t.Run(name, func(t *testing.T) {
			nodes := fusionCluster(t, membus.New(1), 2)
			w := watch(t, nodes[0], name)
			until := func(topic string) {
				t.Helper()
				for {
					e := w.next()
					if e.Topic == "conference_destroy" && strings.Contains(string(e.Payload), "3001@") {
						t.Fatal("a conference of the node that is there has ended")
					}
					if e.Topic == topic && strings.Contains(string(e.Payload), "3002@a.example.com") {
						return
					}
				}
			}
			until("add_member")
			nodes[1].stop()
			until("conference_destroy")
		})
	}
}
