package conformance

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// foldFrom is how many equal bytes in a row a transcript writes as <c*N>.
const foldFrom = 48

var foldedRun = regexp.MustCompile(`(?s)<(.)\*(\d{1,8})>`)

// fold shortens every run of foldFrom or more equal bytes.
func fold(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		end := i + 1
		for end < len(text) && text[end] == text[i] {
			end++
		}
		if run := text[i:end]; len(run) < foldFrom {
			out.WriteString(run)
		} else {
			out.WriteString("<" + run[:1] + "*" + strconv.Itoa(len(run)) + ">")
		}
		i = end
	}
	return out.String()
}

// unfold writes a golden's folded runs out again, so that what holds them can be read as JSON.
func unfold(text string) string {
	return foldedRun.ReplaceAllStringFunc(text, func(folded string) string {
		parts := foldedRun.FindStringSubmatch(folded)
		n, _ := strconv.Atoi(parts[2]) // eight digits at most
		return strings.Repeat(parts[1], n)
	})
}

func TestFold(t *testing.T) {
	for name, c := range map[string]struct{ long, short string }{
		"nothing":         {"", ""},
		"no run":          {"abc", "abc"},
		"47 are left":     {strings.Repeat("x", 47), strings.Repeat("x", 47)},
		"48 are folded":   {`{"k":"` + strings.Repeat("x", 48) + `"}`, `{"k":"<x*48>"}`},
		"two runs":        {strings.Repeat("[", 510) + strings.Repeat("]", 510), "<[*510><]*510>"},
		"at both its end": {strings.Repeat("a", 50) + "b" + strings.Repeat("a", 50), "<a*50>b<a*50>"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fold(c.long); got != c.short {
				t.Errorf("folded to %s, want %s", got, c.short)
			}
			if got := unfold(c.short); got != c.long {
				t.Errorf("unfolded to %s, want %s", got, c.long)
			}
		})
	}
}
