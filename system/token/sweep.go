package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// SweepOptions says which files are old enough to be deleted. The zero value is usable.
type SweepOptions struct {
	// Grace is how long ago a token must have expired, or an unfinished file been written: a clock
	// may be wrong for a while. 0 means 1 h, negative none.
	Grace time.Duration
	// Unclaimed is how long a token without a limit may lie around, counted from its issue or its
	// last change, whichever is later. It is good for ever, so only the operator can say; 0 means
	// for ever.
	Unclaimed time.Duration
	// Entries bounds how many entries of the directory are looked at. 0 means 100000.
	Entries int
}

// Swept is what a sweep did.
type Swept struct {
	Expired    int  // tokens deleted because their own limit had passed
	Unclaimed  int  // tokens without a limit deleted because they were old
	Unfinished int  // files deleted that an interrupted Create had left
	Failed     int  // files that should have been deleted and could not be
	More       bool // there are more entries than were looked at
}

// Sweep deletes what is certainly of no more use: the files of tokens that have expired, and those
// that Create did not finish. It takes only files that Claim would believe: of an owner who may
// issue tokens, not to be written by others, and holding a whole token under its own name. All
// others are left alone. It ends early when ctx does.
func (s *Store) Sweep(ctx context.Context, o SweepOptions) (Swept, error) {
	if o.Grace == 0 {
		o.Grace = time.Hour
	}
	o.Grace = max(0, o.Grace)
	if o.Entries <= 0 {
		o.Entries = 100_000
	}
	dir, err := openDirectory(s.dir)
	if err != nil {
		return Swept{}, fmt.Errorf("sweep: %w", err)
	}
	defer dir.close()
	w := &sweep{store: s, dir: dir, o: o, now: s.now()}
	if err := w.run(ctx); err != nil {
		return w.swept, fmt.Errorf("sweep %s: %w", s.dir, err)
	}
	return w.swept, nil
}

// sweep is one walk through the directory.
type sweep struct {
	store *Store
	dir   *directory
	o     SweepOptions
	now   time.Time
	swept Swept
}

func (w *sweep) run(ctx context.Context) error {
	list, err := w.dir.list()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer list.Close()
	const batch = 256
	for seen := 0; ; {
		names, err := list.Readdirnames(batch)
		for _, name := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if seen++; seen > w.o.Entries {
				w.swept.More = true
				return nil
			}
			w.entry(name)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// entry deletes one file if it is of no more use.
func (w *sweep) entry(name string) {
	base, format, ok := tokenFile(name)
	if !ok && !strings.HasPrefix(name, unfinished) {
		return
	}
	f, err := w.dir.open(name)
	if err != nil {
		return
	}
	defer f.close()
	if f.trusted(w.store.owners) != nil {
		return
	}
	counter := &w.swept.Unfinished
	switch {
	case ok:
		counter = w.useless(f, base, format)
	case w.now.Sub(f.changed()) < w.o.Grace:
		return
	}
	if counter == nil {
		return
	}
	err = f.remove()
	switch {
	case err == nil:
		*counter++
	case errors.Is(err, ErrNotFound):
		// Somebody claimed it or was faster.
	default:
		w.swept.Failed++
	}
}

// useless returns what to count the file of a token as when it is deleted, nil if it is to stay.
func (w *sweep) useless(f *file, base string, format Format) *int {
	data, err := f.read(w.store.limits)
	if err != nil {
		return nil
	}
	token, err := format.decode(data, w.store.limits)
	if err != nil || !same(token.Name, base) {
		return nil
	}
	if !token.ClaimBy().IsZero() {
		if token.Expired(w.now.Add(-w.o.Grace)) {
			return &w.swept.Expired
		}
		return nil
	}
	since := token.IssuedAt
	if changed := f.changed(); changed.After(since) {
		since = changed
	}
	if w.o.Unclaimed > 0 && w.now.Sub(since) >= w.o.Unclaimed {
		return &w.swept.Unclaimed
	}
	return nil
}

// tokenFile splits the name of a file that may be a token's.
func tokenFile(name string) (base string, format Format, ok bool) {
	for _, format := range []Format{PHP, JSON} {
		if base, found := strings.CutSuffix(name, format.extension()); found && wellFormed(base) {
			return base, format, true
		}
	}
	return "", 0, false
}
