package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Conference is a room or a conference as the database knows it.
type Conference struct {
	// Name is what pages show. It is the key itself where the database has no name for it.
	Name string
	// Exists tells whether the database has it.
	Exists bool
}

// Conference returns the conference key@domain: a room, whose key is a UUID, or one whose key is an
// extension. One of another domain does not exist. Answers are kept for Options.NameAge, and longer while the
// database does not answer. With an error the name is the key.
func (db *DB) Conference(ctx context.Context, key, domain string) (Conference, error) {
	k, possible := conferenceKey(key, domain)
	if !possible {
		return Conference{Name: key}, nil
	}
	old, known, fresh := db.names.get(k)
	if fresh {
		db.counts.hits.Add(1)
		return old.called(key), nil
	}
	db.counts.misses.Add(1)
	found, err := db.askOnce(ctx, k)
	switch {
	case err == nil:
		return found.called(key), nil
	case known && errors.Is(err, ErrUnavailable):
		return old.called(key), nil
	}
	return Conference{Name: key}, err
}

// CachedConference returns what is known of the conference key@domain without asking the database. It is
// false where Conference would have to ask.
func (db *DB) CachedConference(key, domain string) (Conference, bool) {
	k, possible := conferenceKey(key, domain)
	if !possible {
		return Conference{Name: key}, true
	}
	found, _, fresh := db.names.get(k)
	return found.called(key), fresh
}

// called returns c with the key for a name if it has none.
func (c Conference) called(key string) Conference {
	if c.Name == "" {
		c.Name = key
	}
	return c
}

const (
	roomSQL = `
		select coalesce(r.conference_room_name, '')
		from v_conference_rooms r join v_domains d on d.domain_uuid = r.domain_uuid
		where r.conference_room_uuid = $1::text::uuid and d.domain_name = $2::text`
	conferenceSQL = `
		select coalesce(c.conference_name, '')
		from v_conferences c join v_domains d on d.domain_uuid = c.domain_uuid
		where c.conference_extension = $1::text and d.domain_name = $2::text
		order by c.conference_uuid`
)

// askOnce asks the database, once for all who want to know the same at the same time, and keeps the answer.
func (db *DB) askOnce(ctx context.Context, k nameKey) (Conference, error) {
	answer := db.asking.DoChan(k.key+"@"+k.domain, func() (any, error) {
		// The first to ask may give up before the others do.
		found, err := db.findConference(context.WithoutCancel(ctx), k)
		if err == nil {
			db.names.put(k, found)
		}
		return found, err
	})
	select {
	case a := <-answer:
		return a.Val.(Conference), a.Err
	case <-ctx.Done():
		return Conference{}, fmt.Errorf("query the database: %w", ctx.Err())
	}
}

// findConference asks the database.
func (db *DB) findConference(ctx context.Context, k nameKey) (Conference, error) {
	sql := conferenceSQL
	if isUUID(k.key) {
		sql = roomSQL
	}
	found := Conference{Exists: true}
	err := db.run(ctx, reads, func(ctx context.Context, tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sql+" limit 1", k.key, k.domain).Scan(&found.Name)
		if errors.Is(err, pgx.ErrNoRows) {
			found.Exists = false
			return nil
		}
		return err
	})
	return found, err
}

// conferenceKey returns under which key a conference is kept. It is false for a key that the database cannot
// have, so that nobody fills the cache with inventions.
func conferenceKey(key, domain string) (k nameKey, possible bool) {
	const longest = 253 // of a domain name
	if domain == "" || len(domain) > longest || strings.ContainsRune(domain, 0) {
		return k, false
	}
	// A copy, so that what is kept does not hold the message that the text was a part of.
	k = nameKey{strings.ToLower(strings.Clone(key)), strings.Clone(domain)}
	return k, isUUID(key) || isNumber(key)
}

// isNumber tells whether a text can be an extension.
func isNumber(text string) bool {
	return text != "" && len(text) <= 32 && strings.Trim(text, "0123456789") == ""
}

// isUUID tells whether a text is a UUID as PostgreSQL and FreeSWITCH print it.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (text[i] == '-') || !dash && !strings.Contains("0123456789abcdefABCDEF", text[i:i+1]) {
			return false
		}
	}
	return true
}
