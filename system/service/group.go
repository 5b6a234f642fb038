package service

// Restart says after which ends a service starts again.
type Restart int

// Permanent means after every end: one that finishes (Context.Finish) has failed. Transient means after a crash or a hang,
// but not when it has finished. Temporary means never, not even with its group. An operator may start each of them again.
const (
	Permanent Restart = iota
	Transient
	Temporary
)

// String returns the restart type as docs/supervision.md has it.
func (r Restart) String() string {
	return [...]string{"permanent", "transient", "temporary"}[r]
}

// Strategy says which services of a group restart when one of them fails.
type Strategy int

// RestForOne restarts the one that has failed and those that come after it in the group. OneForAll restarts all of them.
const (
	RestForOne Strategy = iota
	OneForAll
)

// Group is services in one router that restart together. They start in the order of Services, and stop in the reverse. While
// the breaker of one is open, those that would restart with it are down too.
type Group struct {
	Name     string
	Strategy Strategy
	Services []string // names
}
