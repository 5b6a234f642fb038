package check

import "fmt"

// State says whether somebody has to do something.
type State string

// The states of findings.
const (
	OK      State = "ok"
	Note    State = "note"    // worth knowing, or a question that could not be answered
	Warning State = "warning" // works, but not as it should or not for long
	Error   State = "error"   // keeps somebody from being served
)

// Finding is one thing that was seen.
type Finding struct {
	Name  Name   `json:"name"`
	State State  `json:"state"`
	What  string `json:"what"`
	Mend  string `json:"mend"` // the command that mends it, or what to change and where; empty if nothing is to be done
}

// String returns the finding on one line.
func (f Finding) String() string {
	line := fmt.Sprintf("%-8s %s: %s", f.State, f.Name, f.What)
	if f.Mend != "" {
		line += " | mend: " + f.Mend
	}
	return line
}

// report gathers the findings of one check.
type report []Finding

func (r *report) ok(name Name, format string, args ...any) { r.add(OK, name, "", format, args) }
func (r *report) note(name Name, mend, format string, args ...any) {
	r.add(Note, name, mend, format, args)
}
func (r *report) warn(name Name, mend, format string, args ...any) {
	r.add(Warning, name, mend, format, args)
}
func (r *report) fail(name Name, mend, format string, args ...any) {
	r.add(Error, name, mend, format, args)
}

func (r *report) add(state State, name Name, mend, format string, args []any) {
	*r = append(*r, Finding{Name: name, State: state, What: oneLine(fmt.Sprintf(format, args...)), Mend: oneLine(mend)})
}
