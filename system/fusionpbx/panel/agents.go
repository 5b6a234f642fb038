package panel

import (
	"context"
	"slices"
	"strings"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// agent is an agent in a queue, as the switch knows it. All but the last three are columns of the switch's list.
type agent struct {
	Name             string `json:"agent_name"`
	Status           string `json:"status"`
	State            string `json:"state"`
	UUID             string `json:"uuid"`
	Contact          string `json:"contact"`
	MaxNoAnswer      string `json:"max_no_answer"`
	WrapUpTime       string `json:"wrap_up_time"`
	RejectDelay      string `json:"reject_delay_time"`
	BusyDelay        string `json:"busy_delay_time"`
	LastBridgeStart  string `json:"last_bridge_start"`
	LastBridgeEnd    string `json:"last_bridge_end"`
	LastStatusChange string `json:"last_status_change"`
	NoAnswerCount    string `json:"no_answer_count"`
	CallsAnswered    string `json:"calls_answered"`
	TalkTime         string `json:"talk_time"`
	ReadyTime        string `json:"ready_time"`
	QueueName        string `json:"queue_name"`
	QueueExtension   string `json:"queue_extension"`
	Domain           string `json:"domain_name"`
}

// askAgents asks for the agents of all queues of a domain. A queue that the switch does not know has none. An agent whose name
// agents of several domains have is left out, unless its contact says that it is the domain's.
func (l *life) askAgents(ctx context.Context, domain string) ([]agent, error) {
	queues, err := l.Database.Queues(ctx, domain)
	if err != nil {
		return nil, err
	}
	shared, err := l.sharedAgents(ctx, domain)
	if err != nil {
		return nil, err
	}
	found := []agent{}
	for i := range queues {
		agents, err := l.askQueue(ctx, &queues[i], domain)
		if err != nil {
			return nil, err
		}
		found = append(found, slices.DeleteFunc(agents, func(a agent) bool { return shared[a.Name] && !a.reachedAt(domain) })...)
	}
	return found, nil
}

// sharedAgents returns the names of agents of the domain that agents of other domains have too. The switch has one list of agents
// for all domains, so it knows only one of them.
func (l *life) sharedAgents(ctx context.Context, domain string) (map[string]bool, error) {
	agents, err := l.Database.Agents(ctx, domain)
	if err != nil {
		return nil, err
	}
	shared := map[string]bool{}
	for i := range agents {
		if agents[i].Shared {
			shared[agents[i].Name] = true
		}
	}
	return shared, nil
}

// reachedAt reports whether the switch calls the agent at an extension of the domain.
func (a *agent) reachedAt(domain string) bool {
	at := strings.LastIndexByte(a.Contact, '@')
	return domain != "" && at >= 0 && a.Contact[at+1:] == domain
}

// ownAgent reports whether the agent that the switch has under a name is one of the domain, if agents of several domains are called
// so.
func (l *life) ownAgent(ctx context.Context, name, domain string) (bool, error) {
	shared, err := l.sharedAgents(ctx, domain)
	if err != nil || !shared[name] {
		return true, err
	}
	agents, err := l.askAgents(ctx, domain)
	return slices.ContainsFunc(agents, func(a agent) bool { return a.Name == name }), err
}

func (l *life) askQueue(ctx context.Context, q *database.Queue, domain string) ([]agent, error) {
	queue, err := eventsocket.NewDestination(q.Extension, domain)
	if err != nil {
		return nil, nil // a queue that the switch cannot have
	}
	reply, err := l.do(ctx, eventsocket.API("callcenter_config queue list agents", queue))
	if err != nil {
		return nil, err
	}
	agents := readAgents(reply.Body)
	for i := range agents {
		agents[i].QueueName, agents[i].QueueExtension, agents[i].Domain = q.Name, q.Extension, domain
	}
	return agents, nil
}

// readAgents reads the switch's table. Its first line names the columns, which differ between versions of the switch.
func readAgents(table string) []agent {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := map[string]int{}
	for i, name := range strings.Split(lines[0], "|") {
		columns[strings.TrimSpace(name)] = i
	}
	if _, ok := columns["name"]; !ok {
		return nil
	}
	var found []agent
	for _, line := range lines[1:] {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < len(columns) {
			continue // the +OK at the end
		}
		cell := func(column string) string {
			if i, ok := columns[column]; ok && i < len(cells) {
				return cells[i]
			}
			return ""
		}
		found = append(found, agent{
			Name: cell("name"), Status: cell("status"), State: cell("state"), UUID: cell("uuid"), Contact: cell("contact"),
			MaxNoAnswer: cell("max_no_answer"), WrapUpTime: cell("wrap_up_time"), RejectDelay: cell("reject_delay_time"),
			BusyDelay: cell("busy_delay_time"), LastBridgeStart: cell("last_bridge_start"), LastBridgeEnd: cell("last_bridge_end"),
			LastStatusChange: cell("last_status_change"), NoAnswerCount: cell("no_answer_count"),
			CallsAnswered: cell("calls_answered"), TalkTime: cell("talk_time"), ReadyTime: cell("ready_time"),
		})
	}
	return found
}

// team is what agents who are not supervisors are told.
type team struct {
	Role   string  `json:"role"`
	Own    *agent  `json:"own_stats"`
	Queues []count `json:"queue_counts"`
}

// count is how many agents a queue has.
type count struct {
	Queue     string `json:"queue_name"`
	Agents    int    `json:"agent_count"`
	Available int    `json:"available_count"`
}

// agentsActive answers with the agents of the asker's domain. One who may not manage them is told how many there are
// and how the own agent is.
func (l *life) agentsActive(r service.Request) error {
	asker := r.Subscriber()
	l.watch(asker.DomainName)
	l.agents.get(asker.DomainName, func(found []agent, err error) {
		switch {
		case err != nil:
			r.FailWith(refusal(err))
		case asker.Has(mayManage):
			r.Reply(found)
		case asker.User.UUID == "":
			r.Reply(newTeam(found, nil))
		default:
			l.agentsOf(r, found)
		}
	})
	return nil
}

// agentsOf answers somebody who may be an agent.
func (l *life) agentsOf(r service.Request, found []agent) {
	asker := r.Subscriber()
	r.Go(func(ctx context.Context) func() {
		agents, err := l.Database.Agents(ctx, asker.DomainName)
		if err != nil {
			return func() { r.FailWith(refusal(err)) }
		}
		own := map[string]bool{}
		for _, a := range agents {
			if strings.EqualFold(a.UserUUID, asker.User.UUID) {
				own[a.Name], own[a.UUID] = true, true // FreeSWITCH knows agents by the one or by the other
			}
		}
		return func() { r.Reply(newTeam(found, own)) }
	})
}

func newTeam(agents []agent, own map[string]bool) team {
	t := team{Role: "agent", Queues: []count{}}
	place := map[string]int{}
	for i := range agents {
		a := &agents[i]
		at, ok := place[a.QueueName]
		if !ok {
			at = len(t.Queues)
			place[a.QueueName] = at
			t.Queues = append(t.Queues, count{Queue: a.QueueName})
		}
		t.Queues[at].Agents++
		if a.Status == "Available" {
			t.Queues[at].Available++
		}
		if a.Name != "" && own[a.Name] {
			t.Own = a
		}
	}
	return t
}
