package dropin

// State says what is known of a drop-in.
type State int

// The states of drop-ins.
const (
	Absent  State = iota // it is not there, or cannot be read
	Current              // it is as this version writes it
	Other                // another version has written it, or somebody has changed it
)

// LookRouter looks at the drop-in of the router below a root directory.
func LookRouter(root string) State {
	text, err := (&Host{Root: root}).read(Unit)
	r, ok := parseRouter(text)
	return compare(text, err, ok && r.text() == text)
}

// Look looks at the drop-in of a service below a root directory.
func (s Service) Look(root string) State {
	text, err := (&Host{Root: root}).read(s.Unit)
	s.Ran = ranLine.MatchString(text)
	return compare(text, err, s.text() == text)
}

func compare(text string, err error, same bool) State {
	switch {
	case err != nil || text == "":
		return Absent
	case same:
		return Current
	}
	return Other
}

// StandIn tells whether what systemd says of ExecStart= is the command of a drop-in of a service.
func StandIn(execStart string) bool { return standIn.MatchString(execStart) }
