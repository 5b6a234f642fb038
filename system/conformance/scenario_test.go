package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenario is one recorded conversation: what is done, and beside it what the recorded router was
// seen to answer.
type scenario struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Desc     string `json:"desc"`
	Quirk    bool   `json:"quirk"`   // the golden shows a defect
	Crashes  bool   `json:"crashes"` // the recorded router died of it
	Want     string `json:"want"`    // what a correct router does, in prose
	Note     string `json:"note"`
	Steps    []step `json:"steps"`

	golden []byte // the recorded transcript
}

// step is one thing done in a scenario. Which fields count depends on Do; times are milliseconds.
type step struct {
	Do   string `json:"do"`
	Conn string `json:"conn"`

	// connect and tcp
	Path        string   `json:"path"`
	Headers     []string `json:"headers"`
	DropHeaders []string `json:"drop_headers"`
	Raw         string   `json:"raw"` // the whole request; {key} stands for the handshake key
	Show        bool     `json:"show"`

	// what is sent
	Text    string      `json:"text"`
	Hex     string      `json:"hex"`
	Frame   *frameSpec  `json:"frame"`
	Frames  []frameSpec `json:"frames"`
	SplitAt int         `json:"split_at"` // bytes of the frame that go out first
	SplitMs int         `json:"split_ms"` // pause before the rest
	Code    int         `json:"code"`     // of a close frame; 0 for none

	// what is awaited
	N       int               `json:"n"`
	Within  int               `json:"within"`
	Exact   bool              `json:"exact"`   // print close frames one by one and with their bytes
	Capture map[string]string `json:"capture"` // variable: envelope field

	// tokens and pauses
	Token     string     `json:"token"`
	Spec      *tokenSpec `json:"spec"`
	RequestID *string    `json:"request_id"`
	Ms        int        `json:"ms"`
}

// decodeScenario refuses fields it does not know: a scenario must never pass because half of it was
// overlooked.
func decodeScenario(data []byte) (scenario, error) {
	var sc scenario
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&sc); err != nil {
		return scenario{}, fmt.Errorf("decode scenario: %w", err)
	}
	return sc, nil
}

// loadScenarios reads every scenario of testdata and its golden, in the order of their names.
func loadScenarios(t *testing.T) []scenario {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, "scenarios", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in %s: %v", testdata, err)
	}
	var scenarios []scenario
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := decodeScenario(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if sc.Name+".json" != filepath.Base(file) {
			t.Fatalf("%s: holds a scenario named %q", file, sc.Name)
		}
		if sc.golden, err = os.ReadFile(strings.TrimSuffix(file, ".json") + ".golden"); err != nil {
			t.Fatal(err)
		}
		scenarios = append(scenarios, sc)
	}
	return scenarios
}

func TestDecodeScenarioRefusesUnknownFields(t *testing.T) {
	for name, data := range map[string]string{
		"field of a scenario": `{"name":"x","colour":1}`,
		"field of a step":     `{"name":"x","steps":[{"do":"expect","match":"x"}]}`,
		"field of a token":    `{"name":"x","steps":[{"do":"token","spec":{"kinds":"user"}}]}`,
		"field of a frame":    `{"name":"x","steps":[{"do":"frame","frame":{"fin":false}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if sc, err := decodeScenario([]byte(data)); err == nil {
				t.Fatalf("decoded to %+v", sc)
			}
		})
	}
}
