package e2e

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/service"
)

const pagesName = "lab.pages"

// pages is a service that says much. It numbers its pages.
type pages struct {
	much, ended atomic.Bool
}

// page is one of them.
type page struct {
	N    int    `json:"n"`
	Even bool   `json:"even"`
	End  bool   `json:"end"`
	Text string `json:"text"`
}

func (p *pages) service() *service.Service {
	return &service.Service{Name: pagesName, Setup: func(s service.Setup) error {
		said := 0
		text := strings.Repeat("x", 16<<10)
		s.Every(2*time.Millisecond, func(c service.Context) {
			c.Broadcast("noise", nil)
			one := page{End: p.ended.Load()}
			times := 1
			if p.much.Load() {
				times, one.Text = 50, text
			}
			for range times {
				said++
				one.N, one.Even = said, said%2 == 0
				c.Broadcast("page", one)
			}
		})
		return nil
	}}
}

// pagesReport is what a client makes of pages that it read too slowly.
type pagesReport struct {
	Watched watched `json:"watched"`
	Told    int     `json:"told"`  // how many are missing, by the event
	Noise   int     `json:"noise"` // messages that it has not asked for
}

// TestClientHearsGaps has a client read too slowly. Each page comes, or the client is told that it is missing.
func TestClientHearsGaps(t *testing.T) {
	for name, run := range map[string]func(*clientLab) clientReport{"node": (*clientLab).inNode, "browser": (*clientLab).inBrowser} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "node" {
				needsNode(t)
			} else {
				needsBrowser(t)
			}
			d := startDaemon(t, "listen: {client: true}\nlimits: {outbound_bytes: 1MiB, write_timeout: 10m, outbound_rate: 0}\n"+
				"policies: {lab_plain_service: {scopes: [{to: all}], slow: drop_oldest}}\n")
			const dropped = `"cause":"broadcasts_dropped"`
			d.Allow(dropped)
			p := new(pages)
			serveLab(t, d.Addr, d.TokenDir, p.service())
			proxy := startFlaky(t, d.Addr)
			lab := newClientLab(t, clientSetup{Scenario: "slow", URL: "ws://" + proxy.addr + "/websockets/", Script: scriptAt(t, d.Addr), Service: pagesName},
				d.TokenDir, nil)
			stop := make(chan struct{})
			slowed := make(chan error, 1)
			go func() { slowed <- slowDown(t, d, proxy, p, dropped, stop) }()
			report := run(lab)
			close(stop)
			if err := <-slowed; err != nil {
				t.Fatal(err)
			}
			got := report.Pages
			t.Logf("%+v", got)
			if got == nil || len(got.Watched.Wrong) > 0 || got.Watched.Gaps == 0 || got.Watched.Missed == 0 || got.Told != got.Watched.Missed || got.Noise > 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// slowDown holds up a client until pages were dropped, and then lets it read on.
func slowDown(t *testing.T, d *daemon, proxy *flaky, p *pages, dropped string, stop <-chan struct{}) error {
	for !proxy.carries(handshakeBytes) {
		select {
		case <-time.After(time.Millisecond):
		case <-stop:
			return nil // the scenario tells why
		}
	}
	release := proxy.hold()
	defer release()
	p.much.Store(true)
	if err := d.Await(t.Context(), dropped); err != nil {
		return err
	}
	p.much.Store(false)
	release()
	p.ended.Store(true)
	return nil
}

// TestClientAsksForLess has a client ask the daemon for some broadcasts only: on its first connection, on one that it resumes,
// and no more when a subscription wants all.
func TestClientAsksForLess(t *testing.T) {
	for _, place := range clientPlaces() {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			place.needs(t)
			d := startDaemon(t, "listen: {client: true}\ntokens: {tickets: 5m}\npolicies: {lab_plain_service: {scopes: [{to: all}]}}\n")
			serveLab(t, d.Addr, d.TokenDir, new(pages).service())
			proxy := startFlaky(t, d.Addr)
			lab := newClientLab(t, clientSetup{Scenario: "less", URL: "ws://" + proxy.addr + "/websockets/", Script: scriptAt(t, d.Addr), Worker: place.name == "worker",
				Service: pagesName}, d.TokenDir, proxy.cut)
			want := []string{"even pages", "online again, 1 token", "even pages", "online again, 1 token", "all pages and noise", "even pages for the first"}
			if got := place.run(lab).Events; !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}
