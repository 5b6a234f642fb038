package check

import (
	"slices"
	"testing"

	"strowger/config"
)

func TestConfiguration(t *testing.T) {
	b := newBench(t, alone(t)+"limits: {depth: 9}\n", "event_socket.port = many\n")
	f := b.check()
	f.want(ConfigValue, OK, "limits.depth is 9", "strowger.yaml:4")
	f.want(ConfigUnused, Warning, "event_socket.port", "${EDITOR:-vi} +1 ")
	place := func(name Name) int {
		return slices.IndexFunc(f.all, func(one Finding) bool { return one.Name == name })
	}
	if place(ConfigValue) > place(ConfigUnused) {
		t.Errorf("what is not used comes before what is:\n%s", f)
	}
	b = newBench(t, "", "")
	b.write("etc/fusionpbx/config.conf", conf)
	f = b.check()
	f.want(ConfigDefault, OK, "every setting")
	f.want(ConfigDefault, Note, "strowger check --fusionpbx")
}

func TestProblems(t *testing.T) {
	b := newBench(t, "", "")
	_, err := config.Load(config.Options{File: b.write("x.yaml", "limits:\n  connection: 5\n"), Environ: []string{"STROWGER_LIMITS__DEPHT=9"}})
	joined := err.(interface{ Unwrap() []error }).Unwrap()
	f := found{t, Problems(err, joined, "strowger check")}
	f.want(ConfigProblem, Error, "did you mean limits.connections?", "${EDITOR:-vi} +2 ", "x.yaml")
	f.want(ConfigProblem, Error, "did you mean", "unset STROWGER_LIMITS__DEPHT")
	f.want(ConfigProblem, Note, "nothing else was looked at")
}
