package panel

import (
	"context"
	"errors"
	"strings"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// asker returns who asks, by what the router knows of the token.
func asker(r service.Request) database.Asker {
	s := r.Subscriber()
	return database.Asker{Domain: s.DomainName, UserUUID: s.User.UUID, Has: s.Has}
}

// userStatus changes the status of a user of the asker's domain.
func (l *life) userStatus(r service.Request, in fields) {
	user, status := in.text("user_uuid"), in.text("status")
	if status == "" {
		refuse(r, "Invalid status value")
		return
	}
	by := asker(r)
	perform(r, func(ctx context.Context) (verdict, error) {
		err := l.Database.SetUserStatus(ctx, by, user, status)
		switch {
		case errors.Is(err, database.ErrInvalid) && user == "":
			return failure("user_uuid required"), nil
		case errors.Is(err, database.ErrInvalid):
			return failure("Invalid status value"), nil
		case errors.Is(err, database.ErrNotFound):
			return failure("User not found"), nil
		case errors.Is(err, database.ErrNotAllowed):
			return failure("Permission denied"), nil
		}
		return success("Status updated"), err
	})
}

// agentStatus changes the status of an agent of the asker's domain, in the database and in the switch. The database is that
// of all nodes, so one of them writes it; each has the status changed in its switch.
func (l *life) agentStatus(r service.Request, in fields) {
	name, status := in.text("agent_name"), in.text("status")
	quoted, known := agentStatus(status)
	agent, err := eventsocket.NewArg(name)
	switch {
	case name == "" || !known:
		refuse(r, "agent_name and valid status required")
		return
	case err != nil || strings.ContainsAny(name, "+*#"):
		refuse(r, "Invalid agent name")
		return
	}
	by := asker(r)
	l.agents.forget(by.Domain)
	command := eventsocket.API("callcenter_config agent set status", agent, quoted)
	set := func(ctx context.Context) (verdict, error) {
		if own, err := l.ownAgent(ctx, name, by.Domain); err != nil || !own {
			return failure("Agent not found"), err
		}
		return l.try(ctx, command, agentUpdated)
	}
	if r.Part() {
		perform(r, set)
		return
	}
	r.Go(func(ctx context.Context) func() {
		// The database says whose agent it is, so it goes first.
		if v, err := changed(l.Database.SetAgentStatus(ctx, by, name, status)); err != nil || !v.Success {
			return func() { answerOr(r, v, err) }
		}
		v, err := set(ctx)
		return func() { l.onAllSwitches(r, v, err) }
	})
}

const agentUpdated = "Agent status updated"

// changed returns what an operator is told of a change of an agent in the database.
func changed(err error) (verdict, error) {
	switch {
	case errors.Is(err, database.ErrNotFound):
		return failure("Agent not found"), nil
	case errors.Is(err, database.ErrInvalid):
		return failure("agent_name and valid status required"), nil
	case errors.Is(err, database.ErrNotAllowed):
		return failure("Permission denied"), nil
	}
	return success(agentUpdated), err
}

// onAllSwitches has the other nodes do their part after this node's switch has answered v or err. One switch that has
// done it is enough for a success: the others may not know the agent.
func (l *life) onAllSwitches(r service.Request, v verdict, err error) {
	r.Gather(func(answers []service.Answer) {
		for _, a := range answers {
			if partOf[verdict](r, a).Success {
				v, err = success(agentUpdated), nil
			}
		}
		answerOr(r, v, err)
	})
}

// agentStatus returns a status of an agent as an argument, which has spaces.
func agentStatus(status string) (eventsocket.Arg, bool) {
	switch status {
	case "Available":
		return eventsocket.Text("'Available'"), true
	case "Available (On Demand)":
		return eventsocket.Text("'Available (On Demand)'"), true
	case "On Break":
		return eventsocket.Text("'On Break'"), true
	case "Logged Out":
		return eventsocket.Text("'Logged Out'"), true
	}
	return eventsocket.Arg{}, false
}
