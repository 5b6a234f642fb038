package check

import "time"

// refused tells why the running router refused a token last.
func (c *checker) refused(r *report) {
	if !c.pages().ours {
		return
	}
	var said struct {
		Refusals []struct {
			Cause      string            `json:"cause"`
			Count      int64             `json:"count"`
			At         time.Time         `json:"at"`
			Attributes map[string]string `json:"attributes"`
		} `json:"refusals"`
	}
	err := c.askFor("/refusals", &said)
	switch {
	case err != nil:
		r.note(TokensRefused, "", "the running router cannot be asked whom it has refused: %v", err)
		return
	case said.Refusals == nil:
		r.note(TokensRefused, c.restartRouter(), "the running router does not tell whom it has refused: it is of an earlier version")
		return
	}
	for _, one := range said.Refusals {
		if one.Cause != "token" {
			continue
		}
		setting := ""
		if s := one.Attributes["setting"]; s != "" {
			setting = " (" + s + ")"
		}
		age := max(0, c.Machine.Now().Sub(one.At)).Round(time.Second)
		r.note(TokensRefused, "see docs/tokens.md for what a token needs, and the log: journalctl -u websockets -g 'authentication refused'",
			"the running router has refused %d tokens, the last one that it logged %v ago, from %s: %s%s", one.Count, age, one.Attributes["remote"], one.Attributes["err"], setting)
		return
	}
	r.ok(TokensRefused, "the running router has refused no token since its start")
}
