package token

import "os"

// Mint makes the tokens of a program that connects to a router itself. It keeps no more than one of
// them in the directory: each Make removes the token before it, unless somebody has claimed that one.
// Close removes the last. Its methods must not be called at the same time.
type Mint struct {
	Dir  string // as for Create
	Spec Spec   // set ClaimWithin, for the case that the program is killed before Close

	file string // of the last token
}

// Make makes a token in the JSON format.
func (m *Mint) Make() (*Token, error) {
	m.Close()
	t, file, err := Create(m.Dir, m.Spec, JSON)
	if err != nil {
		return nil, err
	}
	m.file = file
	return t, nil
}

// Close removes the last token if nobody has claimed it. A nil Mint has none. The Mint can be used again.
func (m *Mint) Close() {
	if m == nil || m.file == "" {
		return
	}
	_ = os.Remove(m.file) // It is not there any more if the router took it.
	m.file = ""
}
