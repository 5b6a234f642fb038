package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecretsDoNotShow(t *testing.T) {
	const password = "hunter2"
	cfg := Default()
	cfg.FusionPBX.EventSocket.Password = password
	cfg.FusionPBX.Database.Password = password

	var outputs bytes.Buffer
	values := []any{cfg, *cfg, cfg.FusionPBX, &cfg.FusionPBX, cfg.FusionPBX.Database.Password, &cfg.FusionPBX.Database.Password,
		[]Secret{password}, map[string]Secret{"x": password}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%5.1f", "%c", "%U"} {
		for _, value := range values {
			fmt.Fprintf(&outputs, verb+"\n", value)
		}
	}
	for _, value := range values {
		fmt.Fprintln(&outputs, value)
		for _, handler := range []slog.Handler{slog.NewTextHandler(&outputs, nil), slog.NewJSONHandler(&outputs, nil)} {
			slog.New(handler).Info("test", "value", value)
		}
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			text, err := marshal(value)
			if err != nil {
				t.Error(err)
			}
			outputs.Write(text)
		}
	}
	text, err := xml.Marshal(cfg.FusionPBX)
	if err != nil {
		t.Error(err)
	}
	outputs.Write(text)
	outputs.WriteString(cfg.FusionPBX.Database.Password.String())

	if !strings.Contains(outputs.String(), redacted) {
		t.Error("nothing is redacted")
	}
	for _, shown := range []string{password, fmt.Sprintf("%x", password), fmt.Sprintf("%X", password)} {
		if strings.Contains(outputs.String(), shown) {
			t.Errorf("%s shows in the output", shown)
		}
	}
	if got := string(cfg.FusionPBX.Database.Password); got != password {
		t.Errorf("the secret itself is %q", got)
	}
}

func TestSecretsDoNotShowInErrorsAndChanges(t *testing.T) {
	const password = "hunter2"
	for _, text := range []string{`"hunter2" x`, `hunter2'`, `hunter2'x'`, `"hunter2${A}"`, "\"hunter2\x01\"", "hunter2&", `"hunter2`} {
		l := newLoader()
		l.readINI("config.conf", []byte("database.0.password = "+text+"\n"))
		cfg, err := l.config()
		said := fmt.Sprint(err)
		if err == nil {
			said = fmt.Sprint(cfg.Warnings)
			if len(cfg.Warnings) == 0 {
				t.Errorf("%s: neither error nor warning", text)
			}
		}
		if strings.Contains(said, password) {
			t.Errorf("%s shows in: %s", password, said)
		}
	}

	before, after := Default(), Default()
	after.FusionPBX.Database.Password = password
	changes := Diff(before, after)
	if len(changes) != 1 || strings.Contains(fmt.Sprint(changes), password) {
		t.Errorf("changes are %v", changes)
	}
}
