package token

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestDocumentedTokenIsGood reads the example of the page on tokens.
func TestDocumentedTokenIsGood(t *testing.T) {
	page, err := os.ReadFile("../../docs/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```json\n")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the page shows no JSON token")
	}
	token, err := decodeJSON([]byte(example), defaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if token.UserName != "alice" || token.Limit != 30*time.Minute || len(token.Extensions) != 1 {
		t.Errorf("got %+v", *token)
	}
}
