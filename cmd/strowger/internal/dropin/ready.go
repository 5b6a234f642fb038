package dropin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/config"
)

// pause is the time between two questions whether the router is ready.
const pause = 300 * time.Millisecond

// await waits until the router is ready. Where the admin pages are off, it is enough that the unit runs.
func (h *Host) await(ctx context.Context, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, h.Patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := h.ready(ctx, &cfg.Admin)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w (journalctl -u %s says more)", err, Unit)
		}
	}
}

// ready returns what the router lacks.
func (h *Host) ready(ctx context.Context, admin *config.Admin) error {
	if !h.is(ctx, "active", Unit) {
		return fmt.Errorf("the unit %s does not run", Unit)
	}
	if admin.Address == "" {
		return nil
	}
	at, err := adminpages.Of(admin)
	if err != nil {
		return err
	}
	url := at.URL("/readyz")
	answer, err := ask(ctx, at, url)
	var said struct {
		Ready *bool `json:"ready"`
	}
	switch {
	case err != nil:
		return fmt.Errorf("nothing answers at %s (admin.address): %w", url, err)
	case json.Unmarshal(answer, &said) != nil || said.Ready == nil:
		return fmt.Errorf("another program answers at %s (admin.address)", url)
	case !*said.Ready:
		return fmt.Errorf("the router does not get ready: %s says %s", url, strings.TrimSpace(string(answer)))
	}
	return nil
}

// ask returns the body of an answer, whatever its status.
func ask(ctx context.Context, at *adminpages.Place, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := at.Client().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	const largest = 1 << 16
	body, err := io.ReadAll(io.LimitReader(response.Body, largest))
	return body, errors.Join(err, ctx.Err())
}
