package token

import (
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options says where tokens are and whose tokens count.
type Options struct {
	// Dir is the directory of the token files. Empty means what FusionPBX uses:
	// /dev/shm if that is a directory this process may write to, else the
	// directory for temporary files. On Windows it means strowger\tokens below
	// the user's %LocalAppData%, which Open and Create make.
	Dir string

	// Owners are the user ids that may issue tokens, besides this process's own
	// and root. See DefaultOwners. On Windows whoever may write to the directory
	// may issue tokens.
	Owners []int

	// MaxBytes bounds the size of a token file; 0 means 8 MiB.
	MaxBytes int64

	// MaxDepth bounds how deep arrays nest in a token file; 0 means 64.
	MaxDepth int

	// MaxPermissions, MaxServices and MaxExtensions bound what one token
	// grants; 0 means 10000, 256 and 65536.
	MaxPermissions int
	MaxServices    int
	MaxExtensions  int

	// Now tells the time; nil means time.Now.
	Now func() time.Time

	// Log gets an error when tokens are refused because this process may not
	// read or delete them, once per cause, and a warning about the odd fields of a
	// token it accepted, once per field and minute; nil means no log.
	Log *slog.Logger
}

// Store hands out the tokens of one directory. Its methods block on the file
// system and are safe for concurrent use. It holds the directory open from the
// first claim on; that is closed with the Store's memory, so it needs no closing.
type Store struct {
	dir    string
	owners []int
	limits limits
	now    func() time.Time
	log    *slog.Logger
	patient
	kept      atomic.Pointer[directory] // nil: none is open yet
	oddTokens atomic.Int64

	reportedMu sync.Mutex
	reported   map[refusal]struct{} // Protected by reportedMu.
	odd        map[string]time.Time // Protected by reportedMu. When a kind of odd field was last warned of.
}

// Open returns the store of a directory. The error wraps ErrUnavailable when
// opts.Dir cannot serve; see Check. If opts.Dir is empty and the default cannot
// serve, Open logs an error, and claims fail until it can. Bounds below 0 are errors.
func Open(opts Options) (*Store, error) {
	lim, err := opts.limits()
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir:      opts.Dir,
		owners:   append([]int{os.Geteuid(), 0}, opts.Owners...),
		limits:   lim,
		now:      opts.Now,
		log:      opts.Log,
		patient:  patient{wait: time.Sleep},
		reported: make(map[refusal]struct{}),
		odd:      make(map[string]time.Time),
	}
	chosen := s.dir != ""
	if !chosen {
		s.dir = defaultDir()
		makeDefaultDir(s.dir)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	dir, err := openDirectory(s.dir)
	if err == nil {
		defer dir.close()
		err = dir.writable()
	}
	switch {
	case err != nil && chosen:
		return nil, err
	case err != nil:
		// Each claim looks anew, so that a directory that comes later serves.
		s.log.Error("no token can be claimed", "dir", s.dir, "err", err, "setting", "tokens.directory")
		return s, nil
	}
	if foreign := s.undeletable(dir); len(foreign) > 0 {
		s.log.Warn("tokens of these users will be refused: run the daemon as the user that writes them, or give it CAP_FOWNER",
			"dir", s.dir, "owners", foreign, "user", os.Geteuid())
	}
	return s, nil
}

// OddTokens returns how many tokens were accepted although fields of them had the wrong type.
func (s *Store) OddTokens() int64 { return s.oddTokens.Load() }

// Dir returns the directory the store looks in.
func (s *Store) Dir() string { return s.dir }

// Check reports whether tokens can be claimed right now: the directory is
// there, can be read and written, and is not one in which anyone may delete
// anyone's files. The error wraps ErrUnavailable. What Check cannot know is
// whether a file somebody else will write can be deleted: in a sticky directory
// that takes the same user, root or CAP_FOWNER.
func (s *Store) Check() error {
	dir, err := openDirectory(s.dir)
	if err != nil {
		return err
	}
	defer dir.close()
	return dir.writable()
}
