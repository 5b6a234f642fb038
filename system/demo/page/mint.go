package page

import (
	"os"
	"sync"
	"time"

	"strowger/system/token"
)

// mostTokens is how many tokens may be there that nobody has used; the oldest gives way.
const mostTokens = 64

// madeToken is what the page authenticates with, once.
type madeToken struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// mint makes tokens, and takes those away again that are not used.
type mint struct {
	dir string

	mu    sync.Mutex // Protects following.
	files []string   // the last ones made, the oldest first
}

func (m *mint) make(spec token.Spec) (madeToken, error) {
	spec.ClaimWithin = time.Minute // the page asks for a token when it connects
	t, file, err := token.Create(m.dir, spec, token.JSON)
	if err != nil {
		return madeToken{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files = append(m.files, file)
	if len(m.files) > mostTokens {
		// Mostly the router has deleted it long ago.
		_ = os.Remove(m.files[0])
		m.files = m.files[1:]
	}
	return madeToken{t.Name, t.Hash}, nil
}

// discard takes away what is left.
func (m *mint) discard() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, file := range m.files {
		_ = os.Remove(file)
	}
	m.files = nil
}
