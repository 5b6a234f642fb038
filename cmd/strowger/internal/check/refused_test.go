package check

import "testing"

// The check passes on what the running router says of the token that it refused last.
func TestRefusedToken(t *testing.T) {
	b := newBench(t, alone(t), "")
	b.check().without(TokensRefused) // no router runs
	answer := b.answers("/refusals")
	for _, one := range []struct {
		answer string
		state  State
		texts  []string
	}{
		{`no JSON`, Note, []string{"cannot be asked whom it has refused"}},
		{`{"error":"there is /healthz"}`, Note, []string{"earlier version", "restart"}},
		{`{"refusals":[]}`, OK, []string{"no token"}},
		{`{"refusals":[{"cause":"idle","count":3,"at":"2026-01-01T00:00:00Z"}]}`, OK, []string{"no token"}},
		{`{"refusals":[{"cause":"token","count":3}]}`, Note, []string{"has refused: 3", "log.level (from "}},
		{`{"refusals":[{"cause":"token","count":3,"at":"2026-01-01T00:00:00Z","attributes":{"remote":"192.0.2.1:9","err":"too long","setting":"tokens.max_bytes"}}]}`,
			Note, []string{"has refused: 3", "from 192.0.2.1:9: too long (tokens.max_bytes)", "docs/tokens.md"}},
	} {
		*answer = one.answer
		b.check().want(TokensRefused, one.state, one.texts...)
	}
}
