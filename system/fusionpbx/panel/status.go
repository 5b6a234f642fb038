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

// agentStatus changes the status of an agent of the asker's domain, in the database and in the switch.
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
	perform(r, func(ctx context.Context) (verdict, error) {
		// The database says whose agent it is, so it goes first.
		err := l.Database.SetAgentStatus(ctx, by, name, status)
		switch {
		case errors.Is(err, database.ErrNotFound):
			return failure("Agent not found"), nil
		case errors.Is(err, database.ErrInvalid):
			return failure("agent_name and valid status required"), nil
		case errors.Is(err, database.ErrNotAllowed):
			return failure("Permission denied"), nil
		case err != nil:
			return verdict{}, err
		}
		return l.try(ctx, eventsocket.API("callcenter_config agent set status", agent, quoted), "Agent status updated")
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
