package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"strowger/bench/workload"
)

// Page fills a Markdown page with the result: what stands between <!-- measured NAME --> and
// <!-- end NAME --> is written anew for the names heading, targets, tables, settings and curves. Plots go into
// files beside the page.
func (r *Result) Page(path string, targets []Target) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	var heading, verdicts, tables, settings bytes.Buffer
	if err := r.Heading(&heading); err != nil {
		return err
	}
	if err := TargetTable(&verdicts, r.Judge(targets)); err != nil {
		return err
	}
	if err := r.Tables(&tables); err != nil {
		return err
	}
	if err := r.SettingsTable(&settings); err != nil {
		return err
	}
	curves, err := r.plots(path)
	if err != nil {
		return err
	}
	page := string(content)
	for name, text := range map[string]string{"heading": heading.String(), "targets": verdicts.String(), "tables": tables.String(), "settings": settings.String(), "curves": curves} {
		if page, err = fill(page, name, text); err != nil {
			return fmt.Errorf("write page: %s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// plots writes a file for each curve that was measured and returns the Markdown that shows them.
func (r *Result) plots(page string) (string, error) {
	base := strings.TrimSuffix(filepath.Base(page), ".md")
	text := ""
	for _, c := range workload.Curves() {
		var svg bytes.Buffer
		drawn, err := r.Plot(&svg, c)
		if err != nil {
			return "", err
		}
		if !drawn {
			continue
		}
		name := base + "-" + c.Name + ".svg"
		if err := os.WriteFile(filepath.Join(filepath.Dir(page), name), svg.Bytes(), 0o644); err != nil {
			return "", fmt.Errorf("write plot: %w", err)
		}
		text += fmt.Sprintf("![%s, by %s](%s)\n", c.Title, c.X, name)
	}
	return text, nil
}

func fill(page, name, text string) (string, error) {
	begin, end := "<!-- measured "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("no %s with its end", strings.TrimSpace(begin))
	}
	return before + begin + "\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}
