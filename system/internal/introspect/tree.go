package introspect

import (
	"slices"
	"strings"
	"sync"
	"time"

	"strowger/actors/clock"
)

// TreeOptions says what a Tree is made of. The zero value of every field is usable.
type TreeOptions struct {
	// Root is the name of the topmost supervisor. Empty means "root".
	Root string
	// Nodes is how many nodes there may be; more are counted and left out. 0 means 4096.
	Nodes int
	// Clock is the machine's if nil.
	Clock clock.Clock
}

// Tree is a table of all supervised actors that the supervisors' events keep true. A path is the
// names from the root on, joined by slashes: "root/services/clock". The methods may be used from
// any goroutine; the lock is held for as long as it takes to change a row or to copy them.
type Tree struct {
	clock clock.Clock
	limit int

	mu      sync.Mutex // Protects following.
	rows    map[string]*row
	order   []*row // parents before their children, children in the order of their appearance
	omitted uint64
	removed uint64 // restarts of actors that were removed

	revision uint64 // counts changes
}

// row is one actor. Its node has neither children nor what is computed for a snapshot.
type row struct {
	path   string
	parent string // empty for the root
	node   Node
	due    time.Time // when it starts again; zero if it does not wait
	depth  func() int
}

// NewTree returns a tree of the root alone.
func NewTree(o TreeOptions) *Tree {
	if o.Root == "" {
		o.Root = "root"
	}
	if o.Nodes <= 0 {
		o.Nodes = 4096
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	t := &Tree{clock: o.Clock, limit: o.Nodes, rows: make(map[string]*row)}
	t.add(clip(o.Root, longestText), "supervisor")
	t.order[0].node.State = Running
	return t
}

// Add names an actor and its kind before it is seen. Its depth, nil if not known, is asked at every
// snapshot, outside the lock; it must not wait. To add a path again replaces kind and depth. A
// parent that is not there is added as a supervisor.
func (t *Tree) Add(path, kind string, depth func() int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.row(path); r != nil {
		r.node.Kind, r.depth = clip(kind, longestText), depth
	}
}

// Omitted returns how many times an actor was left out because the tree was full.
func (t *Tree) Omitted() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.omitted
}

// Revision returns a number that grows whenever something has happened to an actor.
func (t *Tree) Revision() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.revision
}

// Restarts returns how often actors of the tree have been restarted.
func (t *Tree) Restarts() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	total := t.removed
	for _, r := range t.order {
		total += r.node.Restarts
	}
	return total
}

// row returns the row of a path, which it adds if need be, or nil if there is no room or the path
// does not begin at the root.
func (t *Tree) row(path string) *row {
	path = clip(path, longestText)
	if r := t.rows[path]; r != nil {
		return r
	}
	root := t.order[0].path
	if !strings.HasPrefix(path, root+"/") || strings.HasSuffix(path, "/") || strings.Contains(path, "//") {
		t.omitted++
		return nil
	}
	for i := len(root) + 1; i < len(path); i++ {
		if path[i] == '/' && t.rows[path[:i]] == nil && t.add(path[:i], "supervisor") == nil {
			return nil
		}
	}
	return t.add(path, "actor")
}

func (t *Tree) add(path, kind string) *row {
	if len(t.rows) >= t.limit {
		t.omitted++
		return nil
	}
	r := &row{path: path, node: Node{Name: path, Kind: kind, State: Starting, Since: t.clock.Now(), Breaker: Closed}}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		r.parent, r.node.Name = path[:i], path[i+1:]
	}
	t.rows[path] = r
	t.order = append(t.order, r)
	return r
}

// Remove forgets an actor and those below it.
func (t *Tree) Remove(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	path = clip(path, longestText)
	t.revision++
	t.order = slices.DeleteFunc(t.order, func(r *row) bool {
		if r.path != path && !strings.HasPrefix(r.path, path+"/") {
			return false
		}
		t.removed += r.node.Restarts
		delete(t.rows, r.path)
		return true
	})
}

// Snapshot returns the tree as it is now.
func (t *Tree) Snapshot() Node {
	now := t.clock.Now()
	t.mu.Lock()
	rows := make([]row, len(t.order))
	for i, r := range t.order {
		rows[i] = *r
	}
	t.mu.Unlock()

	children := make(map[string][]int, len(rows))
	for i := range rows {
		r := &rows[i]
		if !r.due.IsZero() {
			r.node.Backoff = max(0, r.due.Sub(now)).Milliseconds()
		}
		if r.depth != nil {
			depth := r.depth()
			r.node.Mailbox = &depth
		}
		children[r.parent] = append(children[r.parent], i)
	}
	return nest(rows, children, 0)
}

func nest(rows []row, children map[string][]int, at int) Node {
	node := rows[at].node
	for _, child := range children[rows[at].path] {
		node.Children = append(node.Children, nest(rows, children, child))
	}
	return node
}
