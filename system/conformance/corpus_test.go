package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryQuirkHasItsDeparture keeps the scenarios, the departures and the transcripts under want
// in step.
func TestEveryQuirkHasItsDeparture(t *testing.T) {
	byName := map[string]scenario{}
	for _, sc := range loadScenarios(t) {
		byName[sc.Name] = sc
		d, departs := departures()[sc.Name]
		switch {
		case sc.Quirk && d.mode != "want":
			t.Errorf("%s is a quirk and has mode %q: want mode want", sc.Name, d.mode)
		case !sc.Quirk && departs && d.mode != "rfc":
			t.Errorf("%s is no quirk and has mode %q: want its golden or mode rfc", sc.Name, d.mode)
		case departs && !strings.HasSuffix(d.reason, "."):
			t.Errorf("%s: its reason is no sentence: %q", sc.Name, d.reason)
		}
	}
	for _, file := range glob(t, filepath.Join(testdata, "scenarios", "*.golden")) {
		if name := strings.TrimSuffix(filepath.Base(file), ".golden"); byName[name].Name == "" {
			t.Errorf("%s: a golden without a scenario", file)
		}
	}
	for name := range departures() {
		if _, ok := byName[name]; !ok {
			t.Errorf("departure of %s: no such scenario", name)
		}
		if _, err := os.Stat(wantFile(name)); err != nil {
			t.Errorf("departure of %s: %v", name, err)
		}
	}
	for _, file := range glob(t, filepath.Join(testdata, "want", "*")) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".golden"), ".503")
		if _, ok := departures()[name]; !ok {
			t.Errorf("%s: no departure is called %s", file, name)
		}
	}
}

// TestWantedTranscriptsAreWhole holds our own transcripts to the format of the recorded ones.
func TestWantedTranscriptsAreWhole(t *testing.T) {
	for _, file := range glob(t, filepath.Join(testdata, "want", "*.golden")) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(data, []byte("\nprobe: router alive\n")) {
			t.Errorf("%s: does not end with a living router", file)
		}
		for number, line := range strings.Split(string(data), "\n") {
			_, body, isText := strings.Cut(line, " <- text ")
			if !isText {
				continue
			}
			value, err := decodeValue([]byte(unfold(body)))
			if envelope, ok := value.(map[string]any); err != nil || !ok || len(envelope) != 13 {
				t.Errorf("%s:%d: no envelope of 13 keys (protocol 3.1): %v", file, number+1, err)
			}
		}
	}
}

// TestScenariosAreTheRecordedOnes compares the copies here with the corpus they were copied from,
// where that lies beside the repository.
func TestScenariosAreTheRecordedOnes(t *testing.T) {
	recorded := filepath.Join("..", "..", "..", "shared", "conformance", "scenarios")
	if _, err := os.Stat(recorded); err != nil {
		t.Skipf("no recorded corpus beside the repository: %v", err)
	}
	copies := filepath.Join(testdata, "scenarios")
	names := map[string]bool{}
	for _, file := range append(glob(t, filepath.Join(recorded, "*")), glob(t, filepath.Join(copies, "*"))...) {
		names[filepath.Base(file)] = true
	}
	for name := range names {
		want, err := os.ReadFile(filepath.Join(recorded, name))
		if err != nil {
			t.Errorf("not recorded: %v", err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(copies, name))
		if err != nil {
			t.Errorf("not copied: %v", err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the recorded one", name)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files: %v", pattern, err)
	}
	return files
}
