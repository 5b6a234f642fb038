package system

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/lmittmann/tint"

	"strowger/system/service"
	"strowger/system/token"
)

// What peers write cannot end a line of the log, begin one of its own, or speak to the terminal that shows it.
func TestForgedLogLines(t *testing.T) {
	const forged = "x\n{\"level\":\"ERROR\",\"msg\":\"FORGED\"}\r\ntime=now level=ERROR msg=FORGED\x1b[2J\x1b]0;title\x07\x00\u009b31m\u2028\u202e\x7f"
	for name, handler := range map[string]func(w io.Writer) slog.Handler{
		"JSON": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"text": func(w io.Writer) slog.Handler {
			return tint.NewTextHandler(w, &tint.Options{Level: slog.LevelDebug, NoColor: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Routing.UnknownService, cfg.Limits.AuthenticationAttempts = "404", 100
			cfg.Listen.TrustedProxies = []string{"127.0.0.0/8"}
			j := new(journal)
			// A service may log, and say in a panic, what it was sent.
			frank := &service.Service{Name: "echo", Policy: service.Everyone(), Setup: func(s service.Setup) error {
				service.Handle(s, "fail", func(_ service.Request, text string) error { return errors.New(text) })
				service.Handle(s, "crash", func(_ service.Request, text string) error { panic(text) })
				return nil
			}}
			s, stop := startLogged(t, cfg, slog.New(handler(j)), frank)
			quoted, err := json.Marshal(forged)
			if err != nil {
				t.Fatal(err)
			}
			client := join(t, s, user(forged, []string{forged}, forged, "texts"))
			for _, message := range []string{
				`{"service":F,"topic":F,"request_id":F}`, `{"service":"texts","topic":F,"request_id":F}`, `{"service":"echo","topic":F,"request_id":F}`,
				`{"service":"echo","topic":"crash","payload":F,"request_id":F}`, `{"service":"echo","topic":"fail","payload":F,"request_id":F}`, `F`, `{F}`,
			} {
				client.sendf("%s", strings.ReplaceAll(message, "F", string(quoted)))
			}
			texts := join(t, s, remote("texts", "texts_service"))
			for _, message := range []string{`{"service_name":F,"topic":F}`, `{"service_name":"texts","topic":F,"request_id":F,"resource_id":F}`, `{"service_name":"texts","status_code":F,"status_string":F,"topic":F}`} {
				texts.sendf("%s", strings.ReplaceAll(message, "F", string(quoted)))
			}
			settled(texts)
			spec := remote("odd", forged)
			spec.ServiceName = "odd\nFORGED"
			if made, _, err := token.Create(cfg.Tokens.Directory, spec, token.PHP); err == nil {
				stranger := connectAt(t, s.Addr().String())
				stranger.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
				stranger.next()
			}
			stranger := connectWith(t, s.Addr().String(), http.Header{"X-Forwarded-For": {"x FORGED \"\\ \u009b31m"}, "User-Agent": {"FORGED\u202e"}})
			for _, message := range []string{
				`{"service":"authentication","token":{"name":F,"hash":F}}`, `{"service":"authentication","token":{"name":"jwt","hash":F}}`,
				`{"service":"authentication","token":{"name":F,"hash":"0123456789abcdef0123456789abcdef"}}`, `{"service":"authentication","request_id":F,"token":{"name":["a"],"hash":F}}`,
			} {
				stranger.sendf("%s", strings.ReplaceAll(message, "F", string(quoted)))
				stranger.next()
			}
			knock(t, s, "pbx.example", "Origin: https://evil.example/\u009b31m\u202eFORGED\r\n")
			knock(t, s, "pbx.example\u202e", "Origin: FORGED\x1b[2J\r\n")
			stop()
			text := j.text()
			if !strings.Contains(text, "FORGED") {
				t.Error("nothing of it is in the log, so this test shows nothing")
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				// Lines of JSON may have DEL and the controls after it, which only terminals with eight bits obey.
				control := func(r rune) bool { return unicode.IsControl(r) && (r < 0x7f || name == "text") }
				if i := strings.IndexFunc(line, control); i >= 0 {
					t.Errorf("a control character at %d: %q", i, line)
				}
				if strings.HasPrefix(line, "time=now") || strings.Contains(line, `"msg":"FORGED"`) && !strings.Contains(line, `\"msg\"`) {
					t.Errorf("a forged line: %q", line)
				}
				if name == "JSON" {
					var whole struct{ Msg string }
					if err := json.Unmarshal([]byte(line), &whole); err != nil || whole.Msg == "FORGED" || whole.Msg == "" {
						t.Errorf("%v: %q", err, line)
					}
				}
			}
		})
	}
}
