package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// vectors holds token files: good_NAME is read as NAME.want says, odd_NAME too and
// its odd fields are told, fail_NAME is refused with an error that ends as NAME.want says.
const vectors = "../../testdata/token"

// vectorHash is the hash most vectors hold; no error may show it.
const vectorHash = "a03bee8968baf704dbbe938aa29b04b24b82cd3bab868baa7788d1cd953c8f69"

func vectorPaths(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := vectorFiles(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// vectorFiles returns the token files whose name matches; none is an error.
func vectorFiles(pattern string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(vectors, pattern))
	if err != nil {
		return nil, err
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return filepath.Ext(path) == ".want" })
	if len(paths) == 0 {
		return nil, fmt.Errorf("no vectors match %s", pattern)
	}
	return paths, nil
}

func readVector(t *testing.T, path string) (data, want []byte, format Format) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err = os.ReadFile(path + ".want")
	if err != nil {
		t.Fatal(err)
	}
	format, err = ParseFormat(strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil {
		t.Fatal(err)
	}
	return data, want, format
}

func decodeVector(t *testing.T, path string) *Token {
	t.Helper()
	data, _, format := readVector(t, path)
	token, err := format.decode(data, defaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return token
}

func TestGoodVectors(t *testing.T) {
	for _, path := range vectorPaths(t, "good_*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, text, _ := readVector(t, path)
			var want phpFields
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if got := fieldsOf(decodeVector(t, path)); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestOddVectors wants odd optional fields to cost no more than themselves.
func TestOddVectors(t *testing.T) {
	type oddFields struct {
		phpFields
		Odd []string `json:"odd"`
	}
	for _, path := range vectorPaths(t, "odd_*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, text, _ := readVector(t, path)
			var want oddFields
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			token := decodeVector(t, path)
			if got := (oddFields{fieldsOf(token), token.Odd}); len(got.Odd) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestFailVectors(t *testing.T) {
	for _, path := range vectorPaths(t, "fail_*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, want, format := readVector(t, path)
			token, err := format.decode(data, defaultLimits())
			if err == nil {
				t.Fatalf("accepted as %v", token)
			}
			if !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), strings.TrimSuffix(string(want), "\n")) {
				t.Errorf("got %v\nwant ... %s", err, want)
			}
			if strings.Contains(err.Error(), vectorHash) {
				t.Errorf("the error shows the hash: %v", err)
			}
		})
	}
}
