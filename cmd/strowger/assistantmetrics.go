package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"strowger/cmd/strowger/internal/adminpages"
)

type metricsInput struct {
	Names  []string `json:"names,omitempty" jsonschema:"the metrics wanted, such as strowger_build_info; a * at the end stands for any end; the default is all"`
	Offset int      `json:"offset,omitempty" jsonschema:"how many samples to leave out, 0 or more; the default is 0"`
	Limit  int      `json:"limit,omitempty" jsonschema:"how many samples at most, 1 to 200; the default is 50"`
}

// largestMetrics bounds the daemon's answer, in bytes.
const largestMetrics = 64 << 20

// metrics returns a page of the samples that are asked for, as Prometheus text.
func (a *assistant) metrics(ctx context.Context, in *metricsInput) (string, error) {
	var all string
	err := a.inTurn(ctx, func(ctx context.Context) (err error) {
		all, err = readMetrics(ctx, a.flags.at)
		return err
	})
	if err != nil {
		return "", err
	}
	return in.page(all)
}

// readMetrics asks the admin port at an address.
func readMetrics(ctx context.Context, at *adminpages.Place) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL("/metrics"), nil)
	if err != nil {
		return "", fmt.Errorf("ask for metrics: %w", err)
	}
	response, err := at.Client().Do(request)
	if err != nil {
		return "", notReached(at.String(), fmt.Errorf("ask for metrics: %w", err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largestMetrics))
	if err != nil {
		return "", notReached(at.String(), fmt.Errorf("ask for metrics: %w", err))
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask for metrics: %s answers %s", at, response.Status)
	}
	return string(text), nil
}

// wants reports whether a metric is asked for.
func (in *metricsInput) wants(metric string) bool {
	return len(in.Names) == 0 || slices.ContainsFunc(in.Names, func(name string) bool {
		start, any := strings.CutSuffix(name, "*")
		return metric == name || any && strings.HasPrefix(metric, start)
	})
}

// page picks samples of a text. Each metric keeps its two lines of comment. A last line says what there is besides.
func (in *metricsInput) page(all string) (string, error) {
	var text, head strings.Builder
	var names []string
	metric, matched, shown := "", 0, 0
	for line := range strings.Lines(all) {
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			if words := strings.Fields(comment); len(words) > 1 && words[1] != metric {
				metric = words[1]
				names = append(names, metric)
				head.Reset()
			}
			head.WriteString(line)
			continue
		}
		if !in.wants(metric) {
			continue
		}
		matched++
		if matched <= in.Offset || shown == in.Limit {
			continue
		}
		text.WriteString(head.String())
		head.Reset()
		text.WriteString(line)
		shown++
	}
	if matched == 0 {
		return "", fmt.Errorf("names: the daemon has no metric called %s; it has %s", strings.Join(in.Names, ", "), strings.Join(names, ", "))
	}
	fmt.Fprintf(&text, "# %d of %d samples, from offset %d on\n", shown, matched, in.Offset)
	if len(in.Names) == 0 {
		fmt.Fprintf(&text, "# metrics: %s\n", strings.Join(names, " "))
	}
	return text.String(), nil
}
