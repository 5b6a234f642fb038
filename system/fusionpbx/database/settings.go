package database

import (
	"context"

	"github.com/jackc/pgx/v5"

	"strowger/config"
)

// Settings returns the default settings that strowger knows the categories of: those that are enabled and
// have a value, in the order in which a later one of the same name counts.
func (db *DB) Settings(ctx context.Context) ([]config.Setting, error) {
	// In older databases the flag is a text.
	const sql = `
		select default_setting_category, default_setting_subcategory, coalesce(default_setting_name, ''), default_setting_value
		from v_default_settings
		where lower(default_setting_enabled::text) = 'true'
			and default_setting_value <> ''
			and (default_setting_category in ('system', 'active_calls', 'active_conferences', 'operator_panel')
				or default_setting_category = 'websocket_server'
				and default_setting_subcategory in ('bind_ip_address', 'bind_port'))
			and default_setting_subcategory is not null
		order by default_setting_category, default_setting_subcategory, default_setting_order, default_setting_uuid`
	return query(ctx, db, sql, func(row pgx.CollectableRow) (s config.Setting, err error) {
		err = row.Scan(&s.Category, &s.Subcategory, &s.Type, &s.Value)
		return s, err
	})
}
