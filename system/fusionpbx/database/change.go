package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// All changes that strowger makes in FusionPBX's database are in this file, and what each of them is allowed
// to whom.

// The permissions that changes need.
const (
	viewPanel   = "operator_panel_view"
	managePanel = "operator_panel_manage"
)

// Asker is who wants to change something, by what the router knows of the token. Nothing of it comes from the
// request.
type Asker struct {
	Domain   string
	UserUUID string
	// Has reports whether the asker has a permission.
	Has func(permission string) bool
}

// SetUserStatus changes the status of a user of the asker's domain. An asker with operator_panel_view may
// change their own, one with operator_panel_manage anybody's. An empty status takes it away.
func (db *DB) SetUserStatus(ctx context.Context, by Asker, user, status string) error {
	own := by.UserUUID != "" && strings.EqualFold(user, by.UserUUID)
	switch {
	case !isUUID(user):
		return fmt.Errorf("%w: the user is no UUID", ErrInvalid)
	case status != "" && !slices.Contains(userStatuses(), status):
		return fmt.Errorf("%w: no user has such a status", ErrInvalid)
	case !by.Has(managePanel) && !(own && by.Has(viewPanel)):
		return fmt.Errorf("%w: the status of another user needs %s", ErrNotAllowed, managePanel)
	}
	return db.change(ctx, `
		update v_users set user_status = nullif($3::text, '')
		where user_uuid = $2::text::uuid
			and domain_uuid in (select domain_uuid from v_domains where domain_name = $1::text)`, by.Domain, user, status)
}

// SetAgentStatus changes the status of an agent of the asker's domain. The agent is named as FreeSWITCH names it: by
// its name, or by its UUID as newer versions of FusionPBX do. The asker needs operator_panel_manage. FreeSWITCH has
// a status of its own, which the caller changes as well. It has the agents of all domains in one list, so an agent that
// is called like the UUID of another, or like one at another domain, is not found by that name.
func (db *DB) SetAgentStatus(ctx context.Context, by Asker, agent, status string) error {
	switch {
	case agent == "" || len(agent) > 255 || strings.ContainsRune(agent, 0):
		return fmt.Errorf("%w: the name of the agent", ErrInvalid)
	case !slices.Contains(agentStatuses(), status):
		return fmt.Errorf("%w: no agent has such a status", ErrInvalid)
	case !by.Has(managePanel):
		return fmt.Errorf("%w: the status of an agent needs %s", ErrNotAllowed, managePanel)
	}
	if at := strings.LastIndexByte(agent, '@'); at >= 0 && agent[at+1:] != by.Domain {
		return ErrNotFound
	}
	name := "agent_name"
	if isUUID(agent) {
		name, agent = "call_center_agent_uuid::text", strings.ToLower(agent)
	}
	return db.change(ctx, `
		update v_call_center_agents set agent_status = $3::text
		where `+name+` = $2::text
			and domain_uuid in (select domain_uuid from v_domains where domain_name = $1::text)`, by.Domain, agent, status)
}

// agentStatuses are those of FreeSWITCH's call center.
func agentStatuses() []string {
	return []string{"Available", "Available (On Demand)", "On Break", "Logged Out"}
}

// userStatuses are those that FusionPBX lets a user choose.
func userStatuses() []string { return append(agentStatuses(), "Do Not Disturb") }

// change runs one statement, which must change something. If the connection breaks on the way, the change
// may have been made although there is an error.
func (db *DB) change(ctx context.Context, sql string, args ...any) error {
	return db.run(ctx, writes, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, sql, args...)
		if err == nil && done.RowsAffected() == 0 {
			return ErrNotFound
		}
		return err
	})
}
