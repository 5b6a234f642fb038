package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Extension is one extension of a domain as the operator panel shows it, with what FreeSWITCH does not know.
// Encoded as JSON it has the panel's keys; nil is null.
type Extension struct {
	UUID             string  `json:"extension_uuid"`
	Number           string  `json:"extension"`
	CallerIDName     *string `json:"effective_caller_id_name"`
	CallerIDNumber   *string `json:"effective_caller_id_number"`
	Description      *string `json:"description"`
	CallGroup        *string `json:"call_group"`
	DoNotDisturb     *bool   `json:"do_not_disturb"`
	UserContext      *string `json:"user_context"`
	Enabled          bool    `json:"enabled"`
	VoicemailEnabled string  `json:"voicemail_enabled"` // "true" or "false"
	UserUUID         *string `json:"user_uuid"`         // of its first user
	UserStatus       string  `json:"user_status"`       // of that user; empty without one
	ContactImage     *string `json:"contact_image"`     // the UUID of the picture of that user
}

// Extensions returns the enabled extensions of a domain by number, those that are no number last. An extension
// of several users is there once.
func (db *DB) Extensions(ctx context.Context, domain string) ([]Extension, error) {
	const sql = `
		select e.extension_uuid::text, coalesce(e.extension, ''), e.effective_caller_id_name, e.effective_caller_id_number,
			e.description, e.call_group, lower(nullif(e.do_not_disturb::text, '')) = 'true', e.user_context,
			case when exists (select from v_voicemails v
				where v.domain_uuid = e.domain_uuid and v.voicemail_id = e.extension
					and lower(v.voicemail_enabled::text) = 'true') then 'true' else 'false' end,
			u.user_uuid::text, coalesce(u.user_status, ''),
			(select a.contact_attachment_uuid::text from v_contact_attachments a
				where a.contact_uuid = u.contact_uuid and lower(a.attachment_primary::text) = 'true'
				order by a.contact_attachment_uuid limit 1)
		from v_domains d
			join v_extensions e on e.domain_uuid = d.domain_uuid
			left join lateral (select x.user_uuid from v_extension_users x
				where x.domain_uuid = e.domain_uuid and x.extension_uuid = e.extension_uuid
				order by x.extension_user_uuid limit 1) first on true
			left join v_users u on u.user_uuid = first.user_uuid
		where d.domain_name = $1::text and lower(e.enabled::text) = 'true'
		order by case when e.extension ~ '^[0-9]{1,30}$' then e.extension::numeric end, e.extension, e.extension_uuid`
	return query(ctx, db, sql, func(row pgx.CollectableRow) (Extension, error) {
		e := Extension{Enabled: true}
		err := row.Scan(&e.UUID, &e.Number, &e.CallerIDName, &e.CallerIDNumber, &e.Description, &e.CallGroup,
			&e.DoNotDisturb, &e.UserContext, &e.VoicemailEnabled, &e.UserUUID, &e.UserStatus, &e.ContactImage)
		return e, err
	}, domain)
}

// UserContext returns the context in which calls of an extension of the domain begin, "" if there is no such extension
// or if it has none.
func (db *DB) UserContext(ctx context.Context, extension, domain string) (string, error) {
	const sql = `
		select coalesce(e.user_context, '')
		from v_domains d join v_extensions e on e.domain_uuid = d.domain_uuid
		where d.domain_name = $2::text and e.extension = $1::text and lower(e.enabled::text) = 'true'
		order by e.extension_uuid`
	found, err := query(ctx, db, sql, pgx.RowTo[string], extension, domain)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// Queue is a queue of the call center.
type Queue struct {
	UUID      string
	Name      string
	Extension string
}

// Queues returns the queues of a domain by extension. FreeSWITCH knows a queue as extension@domain.
func (db *DB) Queues(ctx context.Context, domain string) ([]Queue, error) {
	const sql = `
		select q.call_center_queue_uuid::text, coalesce(q.queue_name, ''), coalesce(q.queue_extension, '')
		from v_domains d join v_call_center_queues q on q.domain_uuid = d.domain_uuid
		where d.domain_name = $1::text
		order by case when q.queue_extension ~ '^[0-9]{1,30}$' then q.queue_extension::numeric end,
			q.queue_extension, q.call_center_queue_uuid`
	return query(ctx, db, sql, func(row pgx.CollectableRow) (q Queue, err error) {
		err = row.Scan(&q.UUID, &q.Name, &q.Extension)
		return q, err
	}, domain)
}

// Agent is an agent of the call center.
type Agent struct {
	UUID     string
	Name     string
	UserUUID string // empty: it is no user's
	Status   string
	// Shared says that an agent of another domain has the same name. FreeSWITCH has the agents of all domains in one list,
	// so it may mean the other one by it.
	Shared bool
}

// Agents returns the agents of a domain by name.
func (db *DB) Agents(ctx context.Context, domain string) ([]Agent, error) {
	const sql = `
		select a.call_center_agent_uuid::text, coalesce(a.agent_name, ''), coalesce(a.user_uuid::text, ''), coalesce(a.agent_status, ''),
			exists (select from v_call_center_agents o where o.agent_name = a.agent_name and o.domain_uuid <> a.domain_uuid)
		from v_domains d join v_call_center_agents a on a.domain_uuid = d.domain_uuid
		where d.domain_name = $1::text
		order by a.agent_name, a.call_center_agent_uuid`
	return query(ctx, db, sql, func(row pgx.CollectableRow) (a Agent, err error) {
		err = row.Scan(&a.UUID, &a.Name, &a.UserUUID, &a.Status, &a.Shared)
		return a, err
	}, domain)
}
