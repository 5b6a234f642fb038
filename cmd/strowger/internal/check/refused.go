package check

import "time"

// refused tells why the running router refused a token last.
func (c *checker) refused(r *report) {
	if !c.pages().ours {
		return
	}
	var said struct {
		Refusals []struct {
			Cause      string
			Count      int64
			At         time.Time
			Attributes map[string]string
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
		if one.At.IsZero() {
			r.note(TokensRefused, c.seeTokens(), "tokens that the running router has refused: %d; log.level (from %s) leaves out why", one.Count, c.Config.Origin("log.level"))
			return
		}
		setting := ""
		if s := one.Attributes["setting"]; s != "" {
			setting = " (" + s + ")"
		}
		age := max(0, c.Machine.Now().Sub(one.At)).Round(time.Second)
		r.note(TokensRefused, c.seeTokens(), "tokens that the running router has refused: %d, the last one in the log %v ago, from %s: %s%s",
			one.Count, age, one.Attributes["remote"], one.Attributes["err"], setting)
		return
	}
	r.ok(TokensRefused, "the running router has refused no token since its start")
}
