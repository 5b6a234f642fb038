// Package report keeps results as JSON and turns them into tables, targets and curves.
package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"strowger/bench/workload"
)

// Result is everything that one run of the benchmark measured.
type Result struct {
	Date     string            `json:"date"`
	Commit   string            `json:"commit"`
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"`
	// Filters tells whether strowger filtered by permissions.
	Filters bool `json:"filters"`
	// Arguments are those of the command that measured.
	Arguments []string `json:"arguments"`
	Series    []Series `json:"series"`
}

// Series is what the rounds of one workload against one server measured.
type Series struct {
	Workload    string             `json:"workload"`
	Title       string             `json:"title"`
	Unit        string             `json:"unit"`
	Curve       string             `json:"curve,omitempty"`
	X           float64            `json:"x,omitempty"`
	Server      string             `json:"server"`
	ServerTitle string             `json:"server_title"`
	Rounds      []workload.Figures `json:"rounds"`
	// Errors are of rounds that failed; a failed round has no figures.
	Errors []string `json:"errors,omitempty"`
}

// Read reads a result from a file.
func Read(path string) (*Result, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read result: %w", err)
	}
	r := new(Result)
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("read result: %s: %w", path, err)
	}
	return r, nil
}

// Write writes the result to a file.
func (r *Result) Write(path string) error {
	content, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// Merge takes over the series of a later run, in place of those of the same workload and server.
func (r *Result) Merge(later *Result) {
	for _, s := range later.Series {
		if old := r.find(s.Workload, s.Server); old != nil {
			*old = s
		} else {
			r.Series = append(r.Series, s)
		}
	}
}

func (r *Result) find(workload, server string) *Series {
	for i := range r.Series {
		if r.Series[i].Workload == workload && r.Series[i].Server == server {
			return &r.Series[i]
		}
	}
	return nil
}

// Failed are the errors of all rounds.
func (r *Result) Failed() []string {
	var list []string
	for _, s := range r.Series {
		list = append(list, s.Errors...)
	}
	return list
}

// Spread is the median of a figure over the rounds, the least and the most.
type Spread struct{ Median, Min, Max float64 }

// Figure returns the spread of a figure; ok is false if no round has it.
func (s *Series) Figure(m workload.Metric) (spread Spread, ok bool) {
	var values []float64
	for _, figures := range s.Rounds {
		if value, ok := figures[m]; ok {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return Spread{}, false
	}
	slices.Sort(values)
	n := len(values)
	return Spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Min: values[0], Max: values[n-1]}, true
}

// metrics are those that any of the series has, in the order of the tables.
func metrics(series []*Series) []workload.Metric {
	have := make(map[workload.Metric]bool)
	for _, s := range series {
		for _, figures := range s.Rounds {
			for m := range maps.Keys(figures) {
				have[m] = true
			}
		}
	}
	return slices.DeleteFunc(workload.Metrics(), func(m workload.Metric) bool { return !have[m] })
}
