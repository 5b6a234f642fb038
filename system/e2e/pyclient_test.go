package e2e

import (
	"strings"
	"testing"

	"strowger/system/token"
)

// TestPythonHTTP asks and publishes without a connection that stays, and is refused.
func TestPythonHTTP(t *testing.T) {
	t.Parallel()
	python := languages()[1]
	lookPath(t, python.require, python.program[0])
	d := startDaemon(t, "listen: {http: true}\n")
	serveNumbers(t, d)
	service := token.Spec{ServiceName: "news", ServiceClass: "news_service"}
	client := token.Spec{UserName: "ann"}
	for name, test := range map[string]struct {
		spec       token.Spec
		kind, hash string // hash is put before the token's
		want       string
	}{
		"published":            {service, "publish", "", "published"},
		"answered":             {client, numbersName, "", `"hello"`},
		"a client publishes":   {client, "publish", "", "403 "},
		"a service requests":   {service, "some.service", "", "403 "},
		"an unknown service":   {client, "no.such.service", "", "404 "},
		"a token that is bad":  {client, "some.service", "0", "401 "},
		"a token with a break": {client, "some.service", "\r\nX: y", "401 "},
	} {
		t.Run(name, func(t *testing.T) {
			made, _, err := token.Create(d.TokenDir, test.spec, token.JSON)
			if err != nil {
				t.Fatal(err)
			}
			p := python.play(t, "http", "http://"+d.Addr, "", test.kind, made.Name, test.hash+made.Hash)
			if line := p.next(); !strings.HasPrefix(line, test.want) {
				t.Errorf("it says %q, want %q", line, test.want)
			}
			p.done()
		})
	}
}
