package dashboard

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		before, after []Core
		want          string
	}{
		"half and idle": {
			before: []Core{{"cpu0", 100, 50}, {"cpu1", 100, 90}},
			after:  []Core{{"cpu0", 102, 51}, {"cpu1", 102, 92}},
			want:   `{"cpu_status":{"total":25,"per_core":[50,0]}}`,
		},
		"two decimals": {
			before: []Core{{"cpu0", 0, 0}}, after: []Core{{"cpu0", 3, 1}},
			want: `{"cpu_status":{"total":66.67,"per_core":[66.67]}}`,
		},
		"no time has passed": {
			before: []Core{{"cpu0", 5, 1}}, after: []Core{{"cpu0", 5, 1}},
			want: `{"cpu_status":{"total":0,"per_core":[0]}}`,
		},
		"time steps back": {
			before: []Core{{"cpu0", 5, 1}}, after: []Core{{"cpu0", 4, 0}},
			want: `{"cpu_status":{"total":0,"per_core":[0]}}`,
		},
		"idle steps back": {
			before: []Core{{"cpu0", 5, 3}}, after: []Core{{"cpu0", 6, 2}},
			want: `{"cpu_status":{"total":100,"per_core":[100]}}`,
		},
		"idle is ahead of all": {
			before: []Core{{"cpu0", 5, 3}}, after: []Core{{"cpu0", 6, 5}},
			want: `{"cpu_status":{"total":0,"per_core":[0]}}`,
		},
		"a core went away and one came": {
			before: []Core{{"cpu0", 0, 0}, {"cpu1", 0, 0}}, after: []Core{{"cpu0", 2, 0}, {"cpu2", 9, 0}},
			want: `{"cpu_status":{"total":50,"per_core":[100,0]}}`,
		},
		"no cores": {want: `{"cpu_status":{"total":0,"per_core":[]}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { checkJSON(t, load(test.before, test.after), test.want) })
	}
}

func TestRate(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(1_800_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	tests := map[string]struct {
		before, after Traffic
		want          string
	}{
		"bits a second": {
			before: Traffic{at(0), "eth0", 1000, 500}, after: Traffic{at(2), "eth0", 2000, 501},
			want: `{"network_status":{"rx_bps":4000,"tx_bps":4}}`,
		},
		"two decimals": {
			before: Traffic{at(0), "eth0", 0, 0}, after: Traffic{at(3), "eth0", 1, 2},
			want: `{"network_status":{"rx_bps":2.67,"tx_bps":5.33}}`,
		},
		"no such interface": {
			before: Traffic{At: at(0)}, after: Traffic{At: at(1)},
			want: `{"network_status":{"rx_bps":0,"tx_bps":0}}`,
		},
		"another interface": {
			before: Traffic{at(0), "eth0", 0, 0}, after: Traffic{at(1), "eth1", 9, 9},
			want: `{"network_status":{"rx_bps":0,"tx_bps":0}}`,
		},
		"counters began anew": {
			before: Traffic{at(0), "eth0", 1000, 0}, after: Traffic{at(1), "eth0", 1, 9},
			want: `{"network_status":{"rx_bps":0,"tx_bps":0}}`,
		},
		"no time has passed": {
			before: Traffic{at(1), "eth0", 0, 0}, after: Traffic{at(1), "eth0", 9, 9},
			want: `{"network_status":{"rx_bps":0,"tx_bps":0}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { checkJSON(t, rate(test.before, test.after), test.want) })
	}
}

func TestReadRoutes(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	tests := map[string]struct{ file, want string }{
		"one default route": {head + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\neth1\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", "eth1"},
		"lowest metric":     {head + "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\neth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "eth0"},
		"half of all":       {head + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n", ""},
		"not up":            {head + "eth0\t00000000\t0100A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		"no routes":         {head, ""},
		"no numbers":        {"eth0 00000000 x zz 0 0 zz 00000000\n", ""},
		"empty":             {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readRoutes(strings.NewReader(test.file))
			if got != test.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
	if got, err := defaultInterface(t.TempDir() + "/none"); got != "" || err != nil {
		t.Errorf("without a file: got %q, %v", got, err)
	}
}

// checkJSON wants v to be encoded as the text.
func checkJSON(t *testing.T, v any, want string) {
	t.Helper()
	got, err := json.Marshal(v)
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
