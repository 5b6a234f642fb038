package system

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"

	activecalls "strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/link"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
	"strowger/system/token"
)

// TestActiveCallsReachClients wants eleven clients to get of a router what the recordings' comparison says that they
// get: that comparison goes by the policy alone.
func TestActiveCallsReachClients(t *testing.T) {
	const dir = "../testdata/fusionpbx"
	for _, name := range []string{"calls-two-domains", "calls-inbound-transfer", "panel-default-context"} {
		t.Run(name, func(t *testing.T) {
			want := replay.Play(t, replay.Load(t, dir, name), replay.Options{}, func(sw replay.Switch) *service.Service {
				return activecalls.New(activecalls.Options{Events: sw.Events, Commands: sw.Commands})
			})
			recording, err := switchsim.Load(os.DirFS(dir+"/corpus"), name)
			if err != nil {
				t.Fatal(err)
			}
			sim, s := startCalls(t, recording)
			peers := map[string]*peer{}
			for name, c := range want.Scenario.Clients {
				peers[name] = join(t, s, clientSpec(c))
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := sim.Play(ctx); err != nil {
				t.Fatal(err)
			}
			// This one sees everything, so the service has said everything when it has it.
			wantPushes(t, "super", peers["super"].pushes(len(want.Received(t, "super"))), want)
			for name, p := range peers {
				if name != "super" {
					wantPushes(t, name, p.pushes(-1), want)
				}
			}
		})
	}
}

func wantPushes(t *testing.T, client string, got []string, r *replay.Result) {
	t.Helper()
	if want := r.Received(t, client); !slices.Equal(got, want) {
		t.Errorf("%s got %d messages\n%q\nwant %d\n%q", client, len(got), got, len(want), want)
	}
}

// pushes reads n messages, or all that were said before an answer if n is negative.
func (p *peer) pushes(n int) []string {
	p.t.Helper()
	if n < 0 {
		p.sendf(`{"service":"active.calls","topic":"no such topic","request_id":"end"}`)
	}
	var got []string
	for len(got) != n {
		e := p.next()
		switch {
		case string(e.RequestID) == `"end"`:
			return got
		case e.Topic != service.StateTopic:
			got = append(got, e.Topic+" "+string(e.Payload))
		}
	}
	return got
}

// startCalls runs a router with the service, and the switch that it listens to.
func startCalls(t *testing.T, recording *switchsim.Recording) (*switchsim.Simulator, *System) {
	t.Helper()
	sim, err := switchsim.Start(recording, switchsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	sw, err := link.New(eventsocket.Options{Address: sim.Addr(), Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler), Switch: sw},
		activecalls.New(activecalls.Options{Events: sw.Events, Commands: sw.Commands}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return sim, s
}

func clientSpec(c replay.Client) token.Spec {
	spec := token.Spec{Kind: token.User, DomainName: c.Domain, Services: []string{activecalls.Name}}
	for permission := range c.Permissions {
		spec.Permissions = append(spec.Permissions, permission)
	}
	for _, e := range c.Extensions {
		spec.Extensions = append(spec.Extensions, e.User+"@"+e.Context)
	}
	return spec
}
