package runtime

import "testing"

// An actor that has much to do answers between two messages, before those that wait. One that hangs does not answer.
func TestPulse(t *testing.T) {
	m, r, d := testMailbox()
	p := Pulse{m}
	answers := 0
	beat := func() { answers++; r.note("beat ", answers) }
	if !p.Idle() {
		t.Error("an actor that has nothing to do is not idle")
	}
	p.Beat(beat)
	if p.Idle() || answers != 0 {
		t.Errorf("idle: %v, %d answers before it ran", p.Idle(), answers)
	}
	d.run()
	r.want(t, "beat 1")

	m.PostUserMessage(1)
	m.PostUserMessage(2)
	r.handle = func(message any) {
		if message == 1 {
			p.Beat(beat) // at work on the first message, as the one that hangs would be
			if answers != 1 || p.Idle() {
				t.Errorf("idle: %v, %d answers while it is at work", p.Idle(), answers)
			}
		}
	}
	d.run()
	r.want(t, "1", "beat 2", "2")
	if !p.Idle() {
		t.Error("it is not idle at the end")
	}
}

// Nobody waits for an actor that is not there, or that does not run yet.
func TestPulseOfNobody(t *testing.T) {
	for name, p := range map[string]Pulse{"zero": {}, "zero ref": Ref[any]{}.Pulse(), "not spawned": {new(mailbox)}} {
		answered := false
		p.Beat(func() { answered = true })
		if !answered || !p.Idle() {
			t.Errorf("%s: answered: %v, idle: %v", name, answered, p.Idle())
		}
	}
	if g := new(Gauge); !g.Pulse().Idle() {
		t.Error("a gauge that watches nobody is not idle")
	}
}

// A suspended mailbox answers: its actor has failed, and its supervisor knows.
func TestPulseOfASuspendedActor(t *testing.T) {
	m, r, d := testMailbox()
	m.suspend(true)
	m.PostUserMessage(1)
	answered := false
	p := Pulse{m}
	p.Beat(func() { answered = true })
	d.run()
	if !answered || p.Idle() {
		t.Errorf("answered: %v, idle: %v", answered, p.Idle())
	}
	r.want(t)
}
