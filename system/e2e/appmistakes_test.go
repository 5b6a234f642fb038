package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/client"
	"strowger/system/token"
)

// mistake is what a newcomer gets wrong with the app, and what the log says to it.
type mistake struct {
	settings [2]string // in strowger.yaml, what is replaced by what
	hook     [2]string // the same in hook.php
	umask    string    // of PHP, in place of 022
	call     string    // a command that fails
	says     int       // the status of the hook; 0: it is not called
	want     []string  // texts of the log
}

const (
	appSend     = `strowger call texts send '{"to":"1","text":"x"}' --timeout 1m --domain-name one.example --permission texts_view --permission texts_send`
	appMessages = `strowger call texts messages --timeout 1m --domain-name one.example --permission texts_view`
)

func mistakes() map[string]mistake {
	return map[string]mistake{
		"no policy": {
			settings: [2]string{"texts_service:", "others:"}, call: appSend,
			want: []string{`service without a policy`, `"class":"texts_service"`, `"rule":"no policy"`},
		},
		"hook without a policy": {
			settings: [2]string{"texts_service:", "others:"}, says: http.StatusNoContent,
			want: []string{`"cause":"foreign_name"`, `its class is not declared`},
		},
		"no key that a scope goes by": {
			hook: [2]string{"['domain_name' =>", "['domain' =>"}, says: http.StatusNoContent,
			want: []string{`"cause":"broadcast_unheard"`, `the key that tells whose it is is absent`},
		},
		"answer without that key": {
			settings: [2]string{"topics: [sent]", "topics: [send]"}, call: appSend,
			want: []string{`"cause":"reply_dropped"`, `the key that tells whose it is is absent`},
		},
		"no permission": {
			call: strings.ReplaceAll(appMessages, "texts_view", "texts_show"),
			want: []string{`"cause":"request_refused"`, `require: has none of texts_view`},
		},
		"hook of another class": {
			hook: [2]string{"'texts_service')", "'texts_hook')"}, says: http.StatusNoContent,
			want: []string{`"cause":"foreign_name"`, `"class":"texts_hook"`, `its class is not declared`},
		},
		"hook under a wrong name": {
			hook: [2]string{"'service_name' => 'texts'", "'service_name' => 'text'"}, says: http.StatusNoContent,
			want: []string{`"cause":"unknown_name"`, `"name":"text"`},
		},
		"unknown class is a client": {
			settings: [2]string{"policies:", "services: {unknown_class: client}\npolicies:"}, call: appSend,
			want: []string{`"cause":"unknown_class"`, `"class":"texts_service"`},
		},
		"wrong name": {call: strings.ReplaceAll(appSend, "call texts", "call texts_service")},
		"umask": {
			umask: "002", says: http.StatusServiceUnavailable,
			want: []string{`"cause":"token"`, `mode 0664 lets others write`},
		},
	}
}

// TestAppMistakes makes the mistakes that the page about apps lists. The log names each.
func TestAppMistakes(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	t.Parallel()
	for name, m := range mistakes() {
		t.Run(name, func(t *testing.T) {
			a := m.start(t)
			if m.umask == "" {
				a.service()
			}
			watch(t, a)
			if m.call != "" {
				if out, err := a.command(m.call).CombinedOutput(); err == nil {
					t.Errorf("the command succeeds: %s", out)
				}
			}
			if m.says != 0 {
				if status := a.hook(appSecret, "one.example", "x"); status != m.says {
					t.Errorf("the hook answers %d, want %d", status, m.says)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			for _, want := range m.want {
				if err := a.daemon.Await(ctx, want); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// start makes the mistake and starts the app.
func (m mistake) start(t *testing.T) *app {
	t.Helper()
	replace := func(file string, edit [2]string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), edit[0]) {
			t.Fatalf("%s has no %q", file, edit[0])
		}
		return strings.Replace(string(text), edit[0], edit[1], 1)
	}
	settings := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(settings, []byte(replace(filepath.Join(appDir, "strowger.yaml"), m.settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	umask := "022"
	if m.umask != "" {
		umask = m.umask
	}
	return startAppWith(t, settings, umask, func(a *app) {
		a.write("app/texts/hook.php", replace(filepath.Join(appDir, "texts", "hook.php"), m.hook))
	})
}

// watch has somebody subscribe to the service.
func watch(t *testing.T, a *app) {
	t.Helper()
	mint := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(a.daemon.TokenDir, token.Spec{
			Services: []string{"texts"}, Permissions: []string{"texts_view"}, DomainName: "one.example",
		}, token.PHP)
		return client.Token{Name: made.Name, Hash: made.Hash}, err
	}
	c, err := client.Dial(t.Context(), "ws://"+a.daemon.Addr+"/", mint, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the router has ended
}
